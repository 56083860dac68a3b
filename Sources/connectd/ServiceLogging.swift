import Configuration
import ConnectAPI
import Logging

/// Logging as the configuration says, at the start and after each reload.
struct ServiceLogging {
    let logger: Logger
    private let control: LogControl

    init(_ settings: LogSettings, environment: [String: String]) {
        let control = LogControl(level: Self.level(settings), format: Self.format(settings))
        self.control = control
        let isForJournal = JournalPriority.isWanted(environment: environment)
        let output = LogOutput()
        logger = Logger(label: "connectd") { _ in
            ServiceLogHandler(control, to: output, isForJournal: isForJournal)
        }
    }

    func follow(_ settings: LogSettings) {
        control.set(level: Self.level(settings), format: Self.format(settings))
    }

    private static func level(_ settings: LogSettings) -> Logger.Level {
        Logger.Level(rawValue: settings.level.rawValue) ?? .info
    }

    private static func format(_ settings: LogSettings) -> ServiceLogHandler.Format {
        switch settings.format {
        case .json: .json
        case .text: .text
        }
    }
}
