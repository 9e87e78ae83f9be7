import CoveySimulator

/// Worlds that many stories begin with.
extension World {
    /// Some hosts on one network that have found each other.
    static func met(
        _ count: Int, seed: UInt64 = 1, options: Options = Options()
    ) -> (world: World, hosts: [Host]) {
        let world = World(seed: seed, options: options)
        let hosts = (0..<count).map { world.addHost("host \($0)") }
        world.run(for: .minutes(1))
        return (world, hosts)
    }

    func texts(of host: Host) -> [String] { inbox(of: host).map(\.text) }
}
