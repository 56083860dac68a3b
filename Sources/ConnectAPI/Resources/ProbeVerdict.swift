internal import CheckModel

/// The verdict of `/v1/probe` as an HTTP status.
enum ProbeVerdict {
    /// 200 when ok; 504 for a timeout; 502 for every other result. 503 is never a result: it means connectd itself.
    static func status(of result: CheckResult) -> Int {
        if result.ok { return 200 }
        return result.outcome == .failed(.timeout) ? 504 : 502
    }
}
