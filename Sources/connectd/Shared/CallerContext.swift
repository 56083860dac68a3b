import ArgumentParser
import CLinux
import CheckEngine
import Configuration
import ConnectAPI

/// What checks of the command line run under: the caller's own rights, or the policy of a configuration.
enum CallerContext {
    /// - Parameters:
    ///   - file: `--config`; nil leaves the caller's own rights.
    ///   - tls: whose `--ca` is trusted beside what the configuration has.
    static func read(config file: String?, tls: TLSArguments) throws -> CheckContext {
        let configured = try file.map(configured(by:)) ?? CheckContext(policy: nil)
        return CheckContext(
            policy: configured.policy, md5Keys: configured.md5Keys, tls: try tls.material(with: configured.tls))
    }

    private static func configured(by file: String) throws -> CheckContext {
        do throws(ConfigurationProblems) {
            let (settings, warnings) = try SettingsSource(file: file, flags: Flags()).load()
            for warning in warnings { Output.errorLine("connectd: \(warning)") }
            return ServiceAssembly.checkContext(from: settings, listening: [])
        } catch {
            throw ValidationError("the configuration is invalid:\n\(error)")
        }
    }
}

/// Where the settings come from: the same file, environment and flags at each reload.
struct SettingsSource {
    let file: String?
    let flags: Flags
    var inherited = InheritedAddresses()

    /// - Parameter replaced: the settings that these shall replace; an empty file replaces none but those of an empty one.
    func load(replacing replaced: Settings? = nil) throws(ConfigurationProblems) -> (Settings, [String]) {
        let loaded = try SettingsLoader.load(
            file: file, mayBeEmpty: replaced?.isOfEmptyFile ?? true, environment: Environment.all, flags: flags,
            inherited: inherited, judgeCheck: MonitorAssembly.problems)
        return (loaded.settings, loaded.warnings + MonitorPolicyWarnings.warnings(about: loaded.settings))
    }
}

/// The environment of the process: environ(7).
enum Environment {
    static var all: [String: String] {
        var variables: [String: String] = [:]
        var entry = connectd_environment()
        while let text = entry?.pointee {
            let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
            entry = entry?.advanced(by: 1)
        }
        return variables
    }
}
