import CUV

/// A code of libuv, with the sentence the system has for it.
package struct UVError: Error, Hashable, CustomStringConvertible {
    package let code: Int32

    package init(_ code: Int32) { self.code = code }

    package var description: String { String(cString: uv_strerror(code)) }

    static let addressInUse = UVError(UV_EADDRINUSE.rawValue)
    static let addressNotAvailable = UVError(UV_EADDRNOTAVAIL.rawValue)
    static let familyNotSupported = UVError(UV_EAFNOSUPPORT.rawValue)
    static let permission = UVError(UV_EACCES.rawValue)
    static let noAddress = UVError(UV_EAI_NODATA.rawValue)
    static let tryAgain = UVError(UV_EAGAIN.rawValue)
    static let endOfFile = UVError(UV_EOF.rawValue)

    /// Throws what a call answered, when that is a fault.
    static func check(_ code: Int32) throws(UVError) {
        if code < 0 { throw UVError(code) }
    }
}
