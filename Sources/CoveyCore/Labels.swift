package import CoveyCrypto

// protocol.md, appendix B. All labels stand here, so that no two uses can share one by accident.

extension Personal {
    package static let genesis: Personal = "covey1:genesis"
    package static let keyID: Personal = "covey1:key-id"
    package static let deviceID: Personal = "covey1:devid"
    package static let certificate: Personal = "covey1:cert"
    package static let log: Personal = "covey1:log"
    package static let epochCommit: Personal = "covey1:epcommit"
    package static let beacon: Personal = "covey1:beacon"
    package static let envelopeID: Personal = "covey1:env-id"
    package static let envelopeBody: Personal = "covey1:env-body"
    package static let tag: Personal = "covey1:tag"
    package static let purge: Personal = "covey1:purge"
    package static let leaf: Personal = "covey1:leaf"
    package static let node: Personal = "covey1:node"
    package static let bundle: Personal = "covey1:bundle"
    package static let sessionID: Personal = "covey1:sess-id"
    package static let keyset: Personal = "covey1:keyset"
    package static let request: Personal = "covey1:csr"
    package static let policy: Personal = "covey1:policy"
    package static let note: Personal = "covey1:note"
    package static let noteID: Personal = "covey1:note-id"
    package static let suspend: Personal = "covey1:suspend"
    package static let covers: Personal = "covey1:covers"
    package static let announcement: Personal = "covey1:announce"
    package static let code: Personal = "covey1:qr"
    package static let unlock: Personal = "covey1:unlock"
}

/// `info` labels of HKDF.
package enum DerivationLabel {
    package static let epochPSK: StaticString = "covey1:epoch-psk"
    package static let epochBeacon: StaticString = "covey1:epoch-beacon"
    package static let epochAnnouncement: StaticString = "covey1:epoch-ann"
    package static let epochStick: StaticString = "covey1:epoch-stick"
    package static let epochRadio: StaticString = "covey1:epoch-r3"
    package static let reconciliation: StaticString = "covey1:r3"
    package static let pair: StaticString = "covey1:pair"
    package static let pqxdh: StaticString = "covey1:pqxdh"
    package static let ratchetRoot: StaticString = "covey1:dr-root"
    package static let table: StaticString = "covey1:table"
    package static let lock: StaticString = "covey1:lock"
    package static let handed: StaticString = "covey1:handed"
    package static let nearby: StaticString = "covey1-nearby"
    package static let nearbySearch: StaticString = "covey1-nearby-find"
}
