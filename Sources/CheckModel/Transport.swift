/// What a target is reached through.
package enum Transport: String, CaseIterable, Sendable {
    case tcp, udp, unix
}
