/// How much of the real thing a run contained. Every result names it.
package enum DetailLevel: String, Codable, Sendable {
    /// Real cryptography, real encodings, the whole node.
    case full
    /// Messages over contact events: the node's routing policies and buffers, no links and no cryptography.
    case contact
}
