/// Who said that a check failed.
public enum ErrorSource: String, CaseIterable, Sendable {
    case kernel, deadline, resolver, tls, dialog, policy
}
