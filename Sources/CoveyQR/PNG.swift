import CZlib

/// Images as they are kept (PNG, ISO/IEC 15948). Codes are written with one bit a pixel; any image without interlacing
/// is read, as grey.
package enum PNG {
    package static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Whether these are the first bytes of one.
    package static func begins(_ bytes: [UInt8]) -> Bool { bytes.starts(with: signature) }

    // MARK: Writing

    /// Codes one below the other, each with its quiet zone.
    /// - Parameter scale: pixels of the side of a module.
    package static func bytes(of matrices: [CodeMatrix], scale: Int = 6) throws(CodeRefusal) -> [UInt8] {
        precondition(!matrices.isEmpty && scale > 0, "there is a code to draw, and it has a size")
        guard matrices.count <= CodeBounds.sheet else { throw .tooManyForOneImage(parts: matrices.count) }
        let quiet = CodeMatrix.quietZone
        let width = ((matrices.map(\.size).max() ?? 0) + 2 * quiet) * scale
        let height = matrices.reduce(0) { $0 + ($1.size + 2 * quiet) * scale }
        // A row is its filter, none, and then the pixels from the highest bit on; 1 is white.
        let stride = 1 + (width + 7) / 8
        var raw: [UInt8] = []
        raw.reserveCapacity(stride * height)
        for matrix in matrices {
            for row in -quiet..<matrix.size + quiet {
                var line = [UInt8](repeating: 0xFF, count: stride)
                line[0] = 0
                for x in 0..<width where matrix.isDark(x / scale - quiet, row) {
                    line[1 + x / 8] &= ~(0x80 >> UInt8(x % 8))
                }
                for _ in 0..<scale { raw += line }
            }
        }
        var header: [UInt8] = []
        append(UInt32(width), to: &header)
        append(UInt32(height), to: &header)
        header += [1, 0, 0, 0, 0]
        return signature + chunk("IHDR", header) + chunk("IDAT", deflated(raw)) + chunk("IEND", [])
    }

    private static func append(_ value: UInt32, to bytes: inout [UInt8]) {
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        append(UInt32(content.count), to: &bytes)
        let checked = Array(name.utf8) + content
        bytes += checked
        append(check(checked[...]), to: &bytes)
        return bytes
    }

    private static func check(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.withUnsafeBufferPointer { UInt32(crc32(0, $0.baseAddress, UInt32($0.count))) }
    }

    private static func deflated(_ raw: [UInt8]) -> [UInt8] {
        let most = compressBound(UInt(raw.count))
        return [UInt8](unsafeUninitializedCapacity: Int(most)) { output, count in
            var length = most
            guard compress2(output.baseAddress, &length, raw, UInt(raw.count), Z_BEST_COMPRESSION) == Z_OK else {
                preconditionFailure("the room is what zlib says it needs at most")
            }
            count = Int(length)
        }
    }

    // MARK: Reading

    private struct Header {
        let width: Int
        let height: Int
        /// Bits of one value.
        let depth: Int
        let colour: Colour

        enum Colour: UInt8 {
            case grey = 0
            case rgb = 2
            case palette = 3
            case greyAlpha = 4
            case rgbAlpha = 6

            /// Values of one pixel.
            var channels: Int {
                switch self {
                case .grey, .palette: 1
                case .greyAlpha: 2
                case .rgb: 3
                case .rgbAlpha: 4
                }
            }

            func allows(depth: Int) -> Bool {
                switch self {
                case .grey: [1, 2, 4, 8, 16].contains(depth)
                case .palette: [1, 2, 4, 8].contains(depth)
                case .rgb, .greyAlpha, .rgbAlpha: [8, 16].contains(depth)
                }
            }
        }

        /// Bytes of a row without its filter.
        var rowBytes: Int { (width * depth * colour.channels + 7) / 8 }
        /// Bytes from a value to the one that filters look at on its left.
        var step: Int { max(1, depth * colour.channels / 8) }

        init(_ content: ArraySlice<UInt8>) throws(ImageFault) {
            guard content.count == 13 else { throw .damaged }
            let bytes = Array(content)
            width = PNG.number(bytes[0..<4])
            height = PNG.number(bytes[4..<8])
            depth = Int(bytes[8])
            guard let colour = Colour(rawValue: bytes[9]), colour.allows(depth: depth), bytes[10] == 0, bytes[11] == 0,
                width > 0, height > 0
            else { throw .damaged }
            self.colour = colour
            guard width <= CodeBounds.side, height <= CodeBounds.side, width * height <= CodeBounds.pixels,
                (1 + (width * depth * colour.channels + 7) / 8) * height <= CodeBounds.rawBytes
            else { throw .tooLarge }
            guard bytes[12] <= 1 else { throw .damaged }
            guard bytes[12] == 0 else { throw .interlaced }
        }
    }

    /// Reads an image. What is transparent is white.
    package static func image(_ bytes: [UInt8]) throws(ImageFault) -> GreyImage {
        guard begins(bytes) else { throw .notPNG }
        var header: Header?
        var palette: [UInt8] = []
        var packed: [UInt8] = []
        var rest = bytes[signature.count...]
        var ended = false
        while !ended {
            guard rest.count >= 12 else { throw .truncated }
            let length = number(rest.prefix(4))
            guard length <= rest.count - 12 else { throw .truncated }
            let checked = rest.dropFirst(4).prefix(4 + length)
            let name = checked.prefix(4)
            let content = checked.dropFirst(4)
            guard number(rest.dropFirst(8 + length).prefix(4)) == Int(check(checked)) else { throw .damaged }
            rest = rest.dropFirst(12 + length)
            if header == nil {
                guard name.elementsEqual("IHDR".utf8) else { throw .damaged }
                header = try Header(content)
            } else if name.elementsEqual("PLTE".utf8) {
                guard palette.isEmpty, length <= 768, length.isMultiple(of: 3) else { throw .damaged }
                palette = Array(content)
            } else if name.elementsEqual("IDAT".utf8) {
                packed += content
            } else if name.elementsEqual("IEND".utf8) {
                ended = true
            }
        }
        guard let header else { throw .damaged }
        var raw = try inflated(packed, to: (1 + header.rowBytes) * header.height)
        try unfilter(&raw, header)
        return try grey(raw, palette, header)
    }

    fileprivate static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    /// Exactly so many bytes: a packed image that would give more is refused before it does.
    private static func inflated(_ packed: [UInt8], to size: Int) throws(ImageFault) -> [UInt8] {
        var result = Z_OK
        let raw = [UInt8](unsafeUninitializedCapacity: size) { output, count in
            var length = UInt(size)
            result = uncompress(output.baseAddress, &length, packed, UInt(packed.count))
            count = result == Z_OK ? Int(length) : 0
        }
        guard result == Z_OK, raw.count == size else { throw .damaged }
        return raw
    }

    /// Undoes the prediction of each row from its left and upper neighbours.
    private static func unfilter(_ raw: inout [UInt8], _ header: Header) throws(ImageFault) {
        let stride = 1 + header.rowBytes
        for row in 0..<header.height {
            let start = row * stride + 1
            let filter = raw[start - 1]
            guard filter <= 4 else { throw .damaged }
            if filter == 0 { continue }
            for index in 0..<header.rowBytes {
                let left = index >= header.step ? Int(raw[start + index - header.step]) : 0
                let up = row > 0 ? Int(raw[start + index - stride]) : 0
                let corner = row > 0 && index >= header.step ? Int(raw[start + index - stride - header.step]) : 0
                let predicted =
                    switch filter {
                    case 1: left
                    case 2: up
                    case 3: (left + up) / 2
                    default: nearest(left, up, corner)
                    }
                raw[start + index] &+= UInt8(truncatingIfNeeded: predicted)
            }
        }
    }

    /// The Paeth predictor (ISO/IEC 15948, 9.4).
    private static func nearest(_ left: Int, _ up: Int, _ corner: Int) -> Int {
        let estimate = left + up - corner
        let (toLeft, toUp, toCorner) = (abs(estimate - left), abs(estimate - up), abs(estimate - corner))
        if toLeft <= toUp && toLeft <= toCorner { return left }
        return toUp <= toCorner ? up : corner
    }

    private static func grey(_ raw: [UInt8], _ palette: [UInt8], _ header: Header) throws(ImageFault) -> GreyImage {
        var image = GreyImage(width: header.width, height: header.height)
        let stride = 1 + header.rowBytes
        let colours = palette.count / 3
        for y in 0..<header.height {
            let start = y * stride + 1
            /// A value of this row as 0 to 255; of a palette, as it stands.
            func value(_ index: Int) -> Int {
                switch header.depth {
                case 16: return Int(raw[start + 2 * index])
                case 8: return Int(raw[start + index])
                default:
                    let bit = index * header.depth
                    let most = 1 << header.depth - 1
                    let value = Int(raw[start + bit / 8]) >> (8 - header.depth - bit % 8) & most
                    return header.colour == .palette ? value : value * 255 / most
                }
            }
            func light(_ red: Int, _ green: Int, _ blue: Int) -> Int { (299 * red + 587 * green + 114 * blue) / 1000 }
            func onWhite(_ light: Int, _ alpha: Int) -> Int { (light * alpha + 255 * (255 - alpha)) / 255 }
            for x in 0..<header.width {
                let first = x * header.colour.channels
                let pixel: Int
                switch header.colour {
                case .grey: pixel = value(first)
                case .greyAlpha: pixel = onWhite(value(first), value(first + 1))
                case .rgb: pixel = light(value(first), value(first + 1), value(first + 2))
                case .rgbAlpha:
                    pixel = onWhite(light(value(first), value(first + 1), value(first + 2)), value(first + 3))
                case .palette:
                    let index = value(first)
                    guard index < colours else { throw .damaged }
                    pixel = light(Int(palette[3 * index]), Int(palette[3 * index + 1]), Int(palette[3 * index + 2]))
                }
                image.pixels[y * header.width + x] = UInt8(pixel)
            }
        }
        return image
    }
}

/// A picture without colours: 0 is black, 255 white, row by row.
package struct GreyImage: Equatable, Sendable {
    package let width: Int
    package let height: Int
    package var pixels: [UInt8]

    /// A white one.
    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
        pixels = [UInt8](repeating: 255, count: width * height)
    }
}
