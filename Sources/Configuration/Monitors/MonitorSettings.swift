/// One entry of `monitors`.
package struct MonitorSettings: Sendable {
    /// Unique among the monitors.
    package var name: String
    package var isRequired = false
    /// 100 … 86400000.
    package var intervalMilliseconds = 10_000
    /// 1 … 1000.
    package var upAfter = 1
    package var downAfter = 1
    package var check: ConfiguredCheck
}
