/// Where a check ended.
package enum Phase: String, CaseIterable, Sendable {
    case policy, resolve, socket, bind, connect, hold, tls, dialog, done
}
