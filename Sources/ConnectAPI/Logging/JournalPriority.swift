internal import CLinux
package import Logging

/// The priority that begins a line for systemd's journal, sd-daemon(3): without it every line is one of level `info` there.
package enum JournalPriority {
    /// Whether standard error leads to the journal: JOURNAL_STREAM, systemd.exec(5), names the socket by device and inode.
    /// A variable that was inherited by who writes elsewhere names another file.
    package static func isWanted(environment: [String: String], descriptor: Int32 = STDERR_FILENO) -> Bool {
        guard let stream = environment["JOURNAL_STREAM"] else { return false }
        var status = stat()
        return fstat(descriptor, &status) == 0 && stream == "\(status.st_dev):\(status.st_ino)"
    }

    package static func prefix(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "<7>"
        case .info: "<6>"
        case .notice: "<5>"
        case .warning: "<4>"
        case .error: "<3>"
        case .critical: "<2>"
        }
    }

    /// Several lines, each with the priority.
    package static func marked(_ text: String, as level: Logger.Level) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { prefix(level) + $0 }.joined(separator: "\n")
    }
}
