@_spi(_Unicode) import Swift

/// Text of signed objects: UTF-8 in NFC without control characters, compared as bytes (protocol.md §0.4).
package enum CanonicalText {
    package static func isValid(_ bytes: ArraySlice<UInt8>) -> Bool {
        // Nearly all text is plain ASCII, which is in NFC as it is.
        if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return true }
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        for scalar in text.unicodeScalars where scalar.properties.generalCategory == .control { return false }
        return text.unicodeScalars.elementsEqual(text._nfc)
    }

    /// What a person typed, brought into the form that may be signed; nil when it holds control characters.
    package static func normalised(_ text: String) -> String? {
        var scalars = String.UnicodeScalarView()
        for scalar in text._nfc { scalars.append(scalar) }
        let normal = String(scalars)
        return isValid(Array(normal.utf8)[...]) ? normal : nil
    }
}
