/// Listens on every wire of a world. It is told of bytes when they are sent, whether they arrive or not.
package protocol WireTap: AnyObject {
    func heard(datagram: [UInt8], from host: Host, in world: World)
    func heard(stream: [UInt8], from host: Host, to other: Host, in world: World)
}

extension WireTap {
    package func heard(datagram: [UInt8], from host: Host, in world: World) {}
    package func heard(stream: [UInt8], from host: Host, to other: Host, in world: World) {}
}
