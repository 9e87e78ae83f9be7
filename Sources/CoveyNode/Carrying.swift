import CoveyConversation
package import CoveyCore
import CoveyRouting

extension Node {
    /// A turn of its own, beside `handle`: takes in sealed mail that came by no link, and offers it to every open one.
    ///
    /// It counts as own mail: there is no neighbour to pay for it. Returns how many were taken in; what is known, what
    /// has expired and what own mail has no room for is left out.
    package func carry(
        _ envelopes: [Envelope], at now: Now, store: any Store, into effects: inout Effects
    ) throws -> Int {
        let hour = mailNow(now).hour
        var taken = 0
        for envelope in envelopes {
            let header = envelope.header
            guard (try? header.check(now: hour)) != nil, !shelf.knows(envelope.id, priority: header.priority) else {
                continue
            }
            var record = EnvelopeRecord(
                id: envelope.id, header: header, tokens: 0, hops: 0, isOwn: true, ingress: own.id)
            guard let tokens = admit(own: record) else { continue }
            record.tokens = tokens.value
            let envelope = commons?.keep(envelope) ?? envelope
            try store.insert(record, envelope.bytes)
            shelf.insert(record)
            try deliver(envelope, now, store, &effects)
            offer(envelope, hops: 0, except: nil, now)
            taken += 1
        }
        try flush(now, store, &effects)
        return taken
    }
}
