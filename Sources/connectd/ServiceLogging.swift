import Configuration
import ConnectAPI
import Logging

/// Sets logging up as the configuration says.
enum ServiceLogging {
    static func logger(for settings: LogSettings, environment: [String: String]) -> Logger {
        let level = Logger.Level(rawValue: settings.level.rawValue) ?? .info
        let format: ServiceLogHandler.Format =
            switch settings.format {
            case .json: .json
            case .text: .text
            }
        let isForJournal = JournalPriority.isWanted(environment: environment)
        return Logger(label: "connectd") { _ in
            ServiceLogHandler(level: level, format: format, isForJournal: isForJournal)
        }
    }
}
