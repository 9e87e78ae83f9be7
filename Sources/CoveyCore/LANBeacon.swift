package import CoveyCrypto

/// What a node says of itself on a local network (protocol.md §1.10, sync-routing.md §1.1).
///
///      0     1       2        6            10             26           34      38
///     | ver | flags | epoch 4 | wallTime 4 | device_id 16 | instance 8 | seq 4 | tcpPort 2 |
///      40     41          98       99          100           108          116
///     | nAddr | addrs 3×19 | degree | freeSlots | ctlDigest 8 | meshDigest 8 |
///
/// An address is `kind 1 | ip 16 | port 2`, kind 1 being TCP; a kind not known here is passed over. Rows not used are
/// zero. Wall time is in minutes and for display only.
package struct LANBeacon: Hashable, Sendable {
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Answers are wished for.
        package static let solicit = Flags(rawValue: 1)
        /// Dials nobody; must be dialled.
        package static let listenOnly = Flags(rawValue: 2)
        /// Has no room for another link.
        package static let full = Flags(rawValue: 4)
        /// Its network costs money.
        package static let metered = Flags(rawValue: 8)
    }

    package static let byteCount = 116
    /// Bytes of the datagram: `nonce 24 | XChaCha20-Poly1305(beacon_e, 116 B | sig 64) | tag 16`, no associated data.
    package static let datagramSize = 220
    package static let mostAddresses = 3
    private static let version: UInt8 = 1
    private static let tcp: UInt8 = 1

    package var flags: Flags
    package var epoch: EpochPrefix
    package var wallTime: Minute
    package var device: DeviceID
    /// Drawn at each start.
    package var instance: Octets8
    package var sequence: UInt32
    /// 0 when it does not listen.
    package var tcpPort: UInt16
    /// At most 3.
    package var addresses: [SocketAddress]
    package var degree: UInt8
    package var freeSlots: UInt8
    package var controlDigest: Octets8
    package var meshDigest: Octets8

    package init(
        flags: Flags, epoch: EpochPrefix, wallTime: Minute, device: DeviceID, instance: Octets8, sequence: UInt32,
        tcpPort: UInt16, addresses: [SocketAddress], degree: UInt8, freeSlots: UInt8, controlDigest: Octets8,
        meshDigest: Octets8
    ) {
        self.flags = flags
        self.epoch = epoch
        self.wallTime = wallTime
        self.device = device
        self.instance = instance
        self.sequence = sequence
        self.tcpPort = tcpPort
        self.addresses = addresses
        self.degree = degree
        self.freeSlots = freeSlots
        self.controlDigest = controlDigest
        self.meshDigest = meshDigest
    }

    /// The 220 bytes to send. `BeaconNonce(prefixOf: nonce)` is what an answer will name.
    package func sealed(
        key: BeaconKey, nonce: Nonce24, signer: SigningPrivateKey, mesh: MeshID
    ) -> [UInt8] {
        var plaintext = bytes
        let message = Signed.message(plaintext.span.bytes, type: .lanBeacon, mesh: mesh)
        plaintext.append(signer.sign(message.span.bytes))
        var datagram: [UInt8] = []
        datagram.reserveCapacity(Self.datagramSize)
        XChaCha20Poly1305.box(plaintext.span.bytes, ad: RawSpan(), key: key.key, nonce: nonce, to: &datagram)
        return datagram
    }

    /// What the 220 bytes are to whoever opens them and verifies the signature: known to whoever has just sealed them.
    package func verified(nonce: Nonce24) -> VerifiedBeacon {
        guard let read = try? LANBeacon(parsing: bytes.span.bytes) else {
            preconditionFailure("a beacon can be read as it is written")
        }
        return VerifiedBeacon(beacon: read, nonce: BeaconNonce(prefixOf: nonce))
    }

    /// The 116 bytes that are signed.
    package var bytes: [UInt8] {
        precondition(addresses.count <= Self.mostAddresses, "a beacon lists at most three addresses")
        var bytes: [UInt8] = [Self.version, flags.rawValue]
        bytes.reserveCapacity(Self.byteCount + Signature.byteCount)
        bytes.append(epoch)
        bytes.append(u32: wallTime.value)
        bytes.append(device)
        bytes.append(instance)
        bytes.append(u32: sequence)
        bytes.append(u16: tcpPort)
        bytes.append(UInt8(addresses.count))
        for address in addresses {
            bytes.append(Self.tcp)
            bytes.append(address.host)
            bytes.append(u16: address.port)
        }
        bytes.append(contentsOf: repeatElement(0, count: 19 * (Self.mostAddresses - addresses.count)))
        bytes.append(degree)
        bytes.append(freeSlots)
        bytes.append(controlDigest)
        bytes.append(meshDigest)
        return bytes
    }

    /// Reads exactly 116 bytes that came out of the seal.
    fileprivate init(parsing bytes: RawSpan) throws(BeaconRefusal) {
        var reader = ByteReader(bytes)
        do {
            guard try reader.u8() == Self.version else { throw BeaconRefusal.version }
            flags = Flags(rawValue: try reader.u8())
            epoch = try reader.octets()
            wallTime = Minute(try reader.u32())
            device = try reader.octets()
            instance = try reader.octets()
            sequence = try reader.u32()
            tcpPort = try reader.u16()
            let count = Int(try reader.u8())
            guard count <= Self.mostAddresses else { throw BeaconRefusal.addresses }
            addresses = []
            for row in 0..<Self.mostAddresses {
                let kind = try reader.u8()
                let host: Octets16 = try reader.octets()
                let port = try reader.u16()
                if row < count, kind == Self.tcp { addresses.append(SocketAddress(host: host, port: port)) }
            }
            degree = try reader.u8()
            freeSlots = try reader.u8()
            controlDigest = try reader.octets()
            meshDigest = try reader.octets()
        } catch let refusal as BeaconRefusal {
            throw refusal
        } catch {
            throw .length
        }
    }
}

/// Why a datagram is no beacon of ours. Nobody is told.
package enum BeaconRefusal: Error, Equatable, Sendable {
    case length
    /// Another epoch's, another mesh's, or altered.
    case seal
    case version
    /// More addresses than there are rows.
    case addresses
}

/// A beacon that came out of its seal: somebody who holds the epoch key wrote it, and says who it is.
package struct UnverifiedBeacon: Sendable {
    /// Whose key is to verify it.
    package var device: DeviceID { beacon.device }
    /// Nothing of it is proved yet.
    package let beacon: LANBeacon
    package let nonce: BeaconNonce
    private let signedBytes: [UInt8]
    private let signature: Signature

    package init(opening datagram: RawSpan, key: BeaconKey) throws(BeaconRefusal) {
        guard datagram.byteCount == LANBeacon.datagramSize else { throw .length }
        let plaintext: [UInt8]
        do {
            plaintext = try XChaCha20Poly1305.unbox(datagram, ad: RawSpan(), key: key.key)
        } catch {
            throw .seal
        }
        let head = plaintext.span.bytes.extracting(first: LANBeacon.byteCount)
        beacon = try LANBeacon(parsing: head)
        nonce = BeaconNonce(copying: datagram.extracting(first: 8))
        signedBytes = [UInt8](copying: head)
        signature = Signature(copying: plaintext.span.bytes.extracting(last: Signature.byteCount))
    }

    /// Nil when the key is not the one that signed. Only the membership knows which key is the device's.
    package func verified(by key: SigningPublicKey, mesh: MeshID) -> VerifiedBeacon? {
        let message = Signed.message(signedBytes.span.bytes, type: .lanBeacon, mesh: mesh)
        guard key.verify(signature, over: message.span.bytes) else { return nil }
        return VerifiedBeacon(beacon: beacon, nonce: nonce)
    }
}

/// A beacon that its device signed. Its addresses may be dialled.
package struct VerifiedBeacon: Sendable {
    package let beacon: LANBeacon
    /// What the answer names.
    package let nonce: BeaconNonce

    fileprivate init(beacon: LANBeacon, nonce: BeaconNonce) {
        self.beacon = beacon
        self.nonce = nonce
    }
}
