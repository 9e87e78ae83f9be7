/// Why an object cannot be shown as codes, or codes do not give one. Each says in one sentence what it is and what to do.
package enum CodeRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// The object is longer than codes can carry at this size of code.
    case tooLong(bytes: Int, most: Int)
    case tooManyForOneImage(parts: Int)
    /// A code of ours by a newer version.
    case newerVersion
    /// A code of ours whose bytes are not what was shown.
    case damaged
    /// Codes of two objects.
    case mixed
    /// Numbers of the codes that have not been read.
    case missing([Int], of: Int)
    /// No code of ours at all.
    case none
    case image(ImageFault)
    /// The library that finds codes in images is not on this machine.
    case noScanner(String)

    package var description: String {
        switch self {
        case .tooLong(let bytes, let most):
            "\(bytes) bytes are more than codes of this size carry (\(most)); take the file itself."
        case .tooManyForOneImage(let parts):
            "\(parts) codes are more than one image may hold (\(CodeBounds.sheet)); write one image for each code."
        case .newerVersion: "This code was made by a newer version of covey; update covey and try again."
        case .damaged: "A code is damaged: its bytes are not what was shown; take its image again."
        case .mixed: "These codes are of different objects; give the images of one object only."
        case .missing(let numbers, let count):
            "Of \(count) codes, \(Self.list(numbers)) \(numbers.count == 1 ? "is" : "are") missing; give \(numbers.count == 1 ? "its image" : "their images") too."
        case .none:
            "No code of covey was found; the whole code and the white around it must be in the image, and sharp."
        case .image(let fault): fault.description
        case .noScanner(let name):
            "\(name) is not installed, and images cannot be read without it: apt-get install libzbar0"
        }
    }

    /// "2, 5 and 9", and no more than a person can take in.
    private static func list(_ numbers: [Int]) -> String {
        let most = 12
        guard numbers.count <= most else {
            return numbers.prefix(most).map(String.init).joined(separator: ", ") + " and \(numbers.count - most) more"
        }
        guard let last = numbers.last, numbers.count > 1 else { return numbers.map(String.init).joined() }
        return numbers.dropLast().map(String.init).joined(separator: ", ") + " and \(last)"
    }
}

/// Why a PNG image cannot be read.
package enum ImageFault: Error, Equatable, Sendable, CustomStringConvertible {
    case notPNG
    case truncated
    case damaged
    case tooLarge
    case interlaced

    package var description: String {
        switch self {
        case .notPNG: "This is not a PNG image; save it as PNG and try again."
        case .truncated: "This image is cut off before its end; copy it again."
        case .damaged: "This image is damaged; take it again."
        case .tooLarge:
            "This image is larger than \(CodeBounds.pixels >> 20) million pixels; make it smaller, or cut out the code."
        case .interlaced: "This image is interlaced, which covey does not read; save it without."
        }
    }
}
