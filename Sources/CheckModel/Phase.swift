/// Where a check ended.
public enum Phase: String, CaseIterable, Sendable {
    case policy, resolve, socket, bind, connect, hold, tls, dialog, done
}
