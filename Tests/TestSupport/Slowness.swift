internal import Foundation

/// How slow the program under test is, for tests that compare processor times: with a sanitizer it takes several times as long.
public enum Slowness {
    /// 1, or CONNECTD_TEST_SLOWNESS, which scripts/sanitize sets.
    public static let factor = Int64(ProcessInfo.processInfo.environment["CONNECTD_TEST_SLOWNESS"] ?? "") ?? 1
}
