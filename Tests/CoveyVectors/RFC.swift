/// Values transcribed from the appendices of RFCs, and edge cases we made: they need no folder beside the checkout.
package enum RFC {
    package static let file = VectorFile.own("rfc.json")

    package static func rows(_ name: String) throws -> [JSON] { try file.json()[name].items }
}
