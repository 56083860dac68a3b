internal import CheckModel
internal import StrictJSON

/// Members that are right each by itself, and wrong together.
package enum ConsistencyRules {
    /// What a `tls://` target is refused with.
    package static let noTLS = "this version makes no TLS handshakes; tcp:// checks the connect alone"

    static func judge(_ request: CheckRequest, _ reader: inout JSONObjectReader) {
        if request.target.impliesTLS { reader.report("target", noTLS) }
        // For every transport: a member is right or wrong whatever the target is.
        if request.socket.tcpFastOpen, !sendsFirst(request.dialog) {
            reader.report(
                at: ["socket", "tcp_fast_open"],
                "needs a dialog whose first step sends: without first bytes the kernel would report a connect that never was"
            )
        }
    }

    private static func sendsFirst(_ dialog: [DialogStep]) -> Bool {
        switch dialog.first {
        case .send(let text): !text.isEmpty
        case .sendBytes(let bytes): !bytes.isEmpty
        case .expect, .expectBytes, .reject, .startTLS, nil: false
        }
    }
}
