/// A UDP protocol with a question that each of its servers answers.
///
/// No question needs an account or a key, changes anything, or makes a server send much more than it got.
public enum UDPPreset: String, CaseIterable, Sendable {
    case dns, ntp, stun, snmp, ike, quic
}
