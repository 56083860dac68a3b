import ArgumentParser
import CheckEngine
import Configuration
import ConnectAPI

/// What checks of the command line run under: the caller's own rights, or the policy of a configuration.
enum CallerSurroundings {
    /// - Parameters:
    ///   - file: `--config`; nil leaves the caller's own rights.
    ///   - tls: whose `--ca` is trusted beside what the configuration has.
    static func read(config file: String?, tls: TLSArguments) throws -> Surroundings {
        let configured = try file.map(configured(by:)) ?? Surroundings(policy: nil)
        return Surroundings(
            policy: configured.policy, md5Keys: configured.md5Keys, tls: try tls.material(with: configured.tls))
    }

    private static func configured(by file: String) throws -> Surroundings {
        do throws(ConfigurationProblems) {
            let (settings, warnings) = try SettingsSource(file: file, flags: Flags()).load()
            for warning in warnings { Output.errorLine("connectd: \(warning)") }
            return ServiceAssembly.serviceSettings(from: settings, listening: []).surroundings
        } catch {
            throw ValidationError("the configuration is wrong:\n\(error)")
        }
    }
}
