import CoveyQR

/// What comes from a picture that somebody took, or sent.
enum CodeEntries {
    /// Texts of codes, one a line.
    static func code(_ input: [UInt8]) {
        var collection = CodeCollection()
        for line in input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if let part = try? CodePart(text: Array(line)) {
                precondition(part.text == Array(line), "a part has one text")
            }
            _ = try? collection.add(text: Array(line))
        }
        if let object = try? collection.joined() { precondition(object.count <= CodeBounds.objectBytes) }
    }

    static func image(_ input: [UInt8]) {
        guard let image = try? PNG.image(input) else { return }
        precondition(image.pixels.count == image.width * image.height, "an image has a value for each pixel")
    }
}
