/// A time until or since a certificate's end, for a person.
enum ValidityText {
    /// Whole days; whole hours or minutes where it is less than a day or an hour. Rounded down, without a sign.
    static func span(_ seconds: Int64) -> String {
        let units: [(name: String, seconds: UInt64)] = [("day", 86_400), ("hour", 3_600), ("minute", 60)]
        guard let (name, size) = units.first(where: { seconds.magnitude >= $0.seconds }) else {
            return "less than a minute"
        }
        let count = seconds.magnitude / size
        return count == 1 ? "1 \(name)" : "\(count) \(name)s"
    }
}
