import ArgumentParser
import CheckEngine
import Configuration
import ConnectAPI

/// What checks of the command line run under: the caller's own rights, or the policy of a configuration.
enum CallerSurroundings {
    /// - Parameter file: `--config`; nil leaves the caller's own rights.
    static func read(config file: String?) throws -> Surroundings {
        guard let file else { return Surroundings(policy: nil) }
        do throws(ConfigurationProblems) {
            let (settings, warnings) = try SettingsSource(file: file, flags: Flags()).load()
            for warning in warnings { Output.errorLine("connectd: \(warning)") }
            return ServiceAssembly.serviceSettings(from: settings, listening: []).surroundings
        } catch {
            throw ValidationError("the configuration is wrong:\n\(error)")
        }
    }
}
