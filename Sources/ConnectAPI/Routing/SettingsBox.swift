internal import Synchronization

/// The settings in force. A reload replaces them as a whole; a request keeps those that it took.
final class SettingsBox: Sendable {
    private let settings: Mutex<ServiceSettings>

    init(_ settings: ServiceSettings) {
        self.settings = Mutex(settings)
    }

    var current: ServiceSettings { settings.withLock { $0 } }

    func replace(with settings: ServiceSettings) {
        self.settings.withLock { $0 = settings }
    }
}
