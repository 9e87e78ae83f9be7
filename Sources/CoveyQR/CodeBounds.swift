/// What codes and the images that hold them may be at most.
package enum CodeBounds {
    /// Codes that one object is spread over.
    package static let parts = 512
    /// Bytes of an object that codes carry. Beyond that a file is the better way.
    package static let objectBytes = 256 << 10
    /// The largest version of a code, as the standard numbers them: 97 modules a side, which any phone reads.
    package static let version = 20
    /// The smallest one that an object is spread over: 33 modules a side. Smaller ones hold little but their own head.
    package static let smallestVersion = 4
    /// Codes in one image, one below the other.
    package static let sheet = 64
    /// Pixels of an image that is read: 8192 × 6144, larger than what the cameras of phones take.
    package static let pixels = 48 << 20
    /// Pixels of one side of an image that is read.
    package static let side = 1 << 16
    /// Bytes of an image, unpacked, before it becomes grey.
    package static let rawBytes = 256 << 20
    /// Codes that are looked at in one image.
    package static let found = 1024
}
