import Glibc

/// Finds codes in images, with zbar.
///
/// The library is loaded when the first image is read and not before: it brings X11, D-Bus and video with it, none of
/// which has a place in a node's process (docs/decisions/0001).
package final class CodeScanner {
    private typealias Handle = OpaquePointer

    private static let library = "libzbar.so.0"
    private static let qrCode: Int32 = 64
    private static let allSymbologies: Int32 = 0
    private static let enable: Int32 = 0
    private static let testInverted: Int32 = 0x81
    /// "Y800": one byte a pixel, brightness only.
    private static let format: UInt = 0x3030_3859

    /// The functions of zbar.h that are called here.
    private struct Functions {
        let createScanner: @convention(c) () -> Handle?
        let destroyScanner: @convention(c) (Handle) -> Void
        let configure: @convention(c) (Handle, Int32, Int32, Int32) -> Int32
        let createImage: @convention(c) () -> Handle?
        let destroyImage: @convention(c) (Handle) -> Void
        let setFormat: @convention(c) (Handle, UInt) -> Void
        let setSize: @convention(c) (Handle, UInt32, UInt32) -> Void
        let setData: @convention(c) (Handle, UnsafeRawPointer?, UInt, UnsafeRawPointer?) -> Void
        let scan: @convention(c) (Handle, Handle) -> Int32
        let firstSymbol: @convention(c) (Handle) -> Handle?
        let nextSymbol: @convention(c) (Handle) -> Handle?
        let data: @convention(c) (Handle) -> UnsafePointer<UInt8>?
        let dataLength: @convention(c) (Handle) -> UInt32

        init(_ library: UnsafeMutableRawPointer) throws(CodeRefusal) {
            func function<Type>(_ name: String, _: Type.Type = Type.self) throws(CodeRefusal) -> Type {
                guard let address = dlsym(library, name) else {
                    throw .noScanner("\(CodeScanner.library) with \(name)")
                }
                return unsafeBitCast(address, to: Type.self)
            }
            createScanner = try function("zbar_image_scanner_create")
            destroyScanner = try function("zbar_image_scanner_destroy")
            configure = try function("zbar_image_scanner_set_config")
            createImage = try function("zbar_image_create")
            destroyImage = try function("zbar_image_destroy")
            setFormat = try function("zbar_image_set_format")
            setSize = try function("zbar_image_set_size")
            setData = try function("zbar_image_set_data")
            scan = try function("zbar_scan_image")
            firstSymbol = try function("zbar_image_first_symbol")
            nextSymbol = try function("zbar_symbol_next")
            data = try function("zbar_symbol_get_data")
            dataLength = try function("zbar_symbol_get_data_length")
        }
    }

    private let functions: Functions
    private let scanner: Handle

    /// - Throws: `.noScanner` where zbar is not installed.
    package init() throws(CodeRefusal) {
        // Stays loaded until the process ends.
        guard let library = dlopen(Self.library, RTLD_NOW | RTLD_LOCAL) else { throw .noScanner(Self.library) }
        functions = try Functions(library)
        guard let scanner = functions.createScanner() else { throw .noScanner(Self.library) }
        self.scanner = scanner
        _ = functions.configure(scanner, Self.allSymbologies, Self.enable, 0)
        _ = functions.configure(scanner, Self.qrCode, Self.enable, 1)
        // Light on dark, as a terminal may show it. Versions that do not know it look for dark on light alone.
        _ = functions.configure(scanner, Self.allSymbologies, Self.testInverted, 1)
    }

    deinit { functions.destroyScanner(scanner) }

    /// The texts of all codes in the image, ours or not.
    package func texts(in image: GreyImage) -> [[UInt8]] {
        guard let picture = functions.createImage() else { preconditionFailure("there is memory for a picture") }
        defer { functions.destroyImage(picture) }
        var texts: [[UInt8]] = []
        image.pixels.withUnsafeBytes { pixels in
            functions.setFormat(picture, Self.format)
            functions.setSize(picture, UInt32(image.width), UInt32(image.height))
            functions.setData(picture, pixels.baseAddress, UInt(pixels.count), nil)
            guard functions.scan(scanner, picture) > 0 else { return }
            var symbol = functions.firstSymbol(picture)
            while let found = symbol, texts.count < CodeBounds.found {
                if let data = functions.data(found) {
                    texts.append(Array(UnsafeBufferPointer(start: data, count: Int(functions.dataLength(found)))))
                }
                symbol = functions.nextSymbol(found)
            }
        }
        return texts
    }
}
