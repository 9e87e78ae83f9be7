/// The rectangle in which hosts move, from (0, 0), in metres.
package struct Ground: Hashable, Sendable {
    package var width: Double
    package var height: Double

    package init(width: Double, height: Double) {
        precondition(
            width > 0 && height > 0 && width <= Self.maxSide && height <= Self.maxSide,
            "a ground has sides of up to forty thousand kilometres")
        self.width = width
        self.height = height
    }

    /// Metres: once around the earth.
    package static let maxSide = 40_000_000.0

    func anywhere(_ dice: inout Dice) -> (x: Double, y: Double) { (dice.unit() * width, dice.unit() * height) }
}
