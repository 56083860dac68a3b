/// Who said that a check failed.
package enum ErrorSource: String, CaseIterable, Sendable {
    case kernel, deadline, resolver, tls, dialog, policy
}
