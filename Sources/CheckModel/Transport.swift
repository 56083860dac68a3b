/// What a target is reached through.
public enum Transport: String, CaseIterable, Sendable {
    case tcp, udp, unix
}
