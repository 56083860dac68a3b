internal import CheckModel

/// The name servers that one question may be put to, in order. Its identity is part of the question's.
final class ServerGroup {
    let channels: [ServerChannel]
    let settings: ResolverSettings

    init(channels: [ServerChannel], settings: ResolverSettings) {
        self.channels = channels
        self.settings = settings
    }

    var isInUse: Bool { channels.contains { $0.inFlight > 0 } }
}
