import CheckEngine
import Configuration
import ConnectAPI
import StrictJSON
import TLSClient

/// Turns the monitors of the configuration into those of the engine.
enum MonitorAssembly {
    /// Why the check of a monitor cannot be made; empty where it can.
    static func problems(in check: ConfiguredCheck, of settings: Settings) -> [JSONProblem] {
        decode(check, of: settings, ServiceAssembly.material(of: settings)).problems
    }

    static func definitions(from settings: Settings) -> [MonitorDefinition] {
        let material = ServiceAssembly.material(of: settings)
        return settings.monitors.compactMap { monitor in
            // Whatever has come through `problems` has a check.
            guard let check = decode(monitor.check, of: settings, material).check else { return nil }
            return MonitorDefinition(
                name: monitor.name, isRequired: monitor.isRequired,
                intervalMilliseconds: monitor.intervalMilliseconds, upAfter: monitor.upAfter,
                downAfter: monitor.downAfter, check: check, source: source(of: monitor))
        }
    }

    private static func decode(
        _ check: ConfiguredCheck, of settings: Settings, _ material: TLSMaterial
    ) -> (check: PreparedCheck?, problems: [JSONProblem]) {
        ConfiguredCheckDecoder.decode(
            check.value, material: material, md5Keys: settings.md5Keys.keys)
    }

    private static func source(of monitor: MonitorSettings) -> String {
        "\(monitor.isRequired) \(monitor.intervalMilliseconds) \(monitor.upAfter) \(monitor.downAfter) \(monitor.check.value)"
    }
}
