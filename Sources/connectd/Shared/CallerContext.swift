import ArgumentParser
import CLinux
import CheckEngine
import Configuration
import ConnectAPI

/// The context for checks of the command line: the rights of the caller, or the policy of a configuration.
enum CallerContext {
    /// - Parameters:
    ///   - file: `--config`; nil applies no policy.
    ///   - tls: Its `--ca` is added to the authorities of the configuration.
    static func read(config file: String?, tls: TLSArguments) throws -> CheckContext {
        let settings = try file.map { name in try load(name, Flags()) }
        return try context(under: settings, tls)
    }

    /// The same for a command that asks the fleet of the configuration and answers nothing. So the defaults of the policy
    /// are those of an instance that other machines cannot reach.
    /// - Returns: the fleet is nil if the configuration has none.
    static func readWithFleet(
        config file: String?, tls: TLSArguments
    ) throws -> (context: CheckContext, fleet: FleetSettings?) {
        let settings = try file.map { name in try load(name, Flags(answersFleet: false)) }
        return (try context(under: settings, tls), settings?.fleet)
    }

    private static func context(under settings: Settings?, _ tls: TLSArguments) throws -> CheckContext {
        let configured = context(under: settings)
        return CheckContext(
            policy: configured.policy, md5Keys: configured.md5Keys, tls: try tls.material(with: configured.tls))
    }

    /// The same without options for TLS.
    static func read(config file: String?) throws -> CheckContext {
        let settings = try file.map { name in try load(name, Flags()) }
        return context(under: settings)
    }

    private static func context(under settings: Settings?) -> CheckContext {
        settings.map { ServiceAssembly.checkContext(from: $0, listening: []) } ?? CheckContext(policy: nil)
    }

    private static func load(_ file: String, _ flags: Flags) throws -> Settings {
        do throws(ConfigurationProblems) {
            let (settings, warnings) = try SettingsSource(file: file, flags: flags).load()
            for warning in warnings { Output.errorLine("connectd: \(warning)") }
            return settings
        } catch {
            throw ValidationError("the configuration is invalid:\n\(error)")
        }
    }
}

/// The source of the settings: the same file, environment and flags for each reload.
struct SettingsSource {
    let file: String?
    let flags: Flags
    var inherited = InheritedAddresses()

    /// - Parameter replaced: The current settings, for a reload. An empty file may replace only those of an empty file.
    func load(replacing replaced: Settings? = nil) throws(ConfigurationProblems) -> (Settings, [String]) {
        let loaded = try SettingsLoader.load(
            file: file, mayBeEmpty: replaced?.isOfEmptyFile ?? true, environment: Environment.all, flags: flags,
            inherited: inherited, judgeCheck: MonitorAssembly.problems, judgePlaces: MonitorAssembly.problems)
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
