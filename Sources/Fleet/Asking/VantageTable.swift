internal import CheckModel
internal import ConnectAPI
internal import NetworkTypes
internal import StrictJSON

/// The instances that have answered `$SRV.INFO`, and the places that they form. A value without I/O: all times are given.
struct VantageTable: Sendable {
    private struct Instance {
        var place: PlaceName
        var labels: [String: String]
        var version: String
        var lastSeen: MonotonicTime
        var roundTripMilliseconds: Double
    }

    private struct PlaceRecord {
        var state = Vantage.State.up
        var sinceNanoseconds: Int64
        /// Of the instance that was seen last.
        var labels: [String: String]
        var version: String
        /// When the last instance was lost; nil while the place is up.
        var goneAt: MonotonicTime?
    }

    /// The most instances that are known at once; further ones are ignored.
    static let longest = 4096
    /// The shortest time between two questions to all instances, in milliseconds.
    static let shortestPeriodMilliseconds = 10_000
    /// With more instances than this, all are asked less often: each that asks has an answer from each that answers.
    static let instancesOfShortestPeriod = 100
    /// A place that is gone is forgotten after this long.
    static let memoryMilliseconds = 3_600_000

    private var instances: [String: Instance] = [:]
    private var places: [PlaceName: PlaceRecord] = [:]

    var instanceCount: Int { instances.count }

    /// The time between two questions to all instances, in milliseconds.
    var periodMilliseconds: Int {
        Self.shortestPeriodMilliseconds * max(instances.count, Self.instancesOfShortestPeriod)
            / Self.instancesOfShortestPeriod
    }

    /// An instance is gone when it has not answered for this long, in milliseconds: three questions in a row, and some
    /// time for the last.
    private var lifetimeMilliseconds: Int { periodMilliseconds * 3 + 2000 }

    /// Notes an answer to `$SRV.INFO`.
    mutating func note(
        _ info: VantageInfo, at now: MonotonicTime, wallNanoseconds: Int64, roundTripMilliseconds: Double
    ) {
        guard instances[info.instance] != nil || instances.count < Self.longest else { return }
        instances[info.instance] = Instance(
            place: info.place, labels: info.labels, version: info.version, lastSeen: now,
            roundTripMilliseconds: roundTripMilliseconds)
        var place =
            places[info.place]
            ?? PlaceRecord(sinceNanoseconds: wallNanoseconds, labels: info.labels, version: info.version)
        if place.state == .gone {
            place.state = .up
            place.sinceNanoseconds = wallNanoseconds
            place.goneAt = nil
        }
        place.labels = info.labels
        place.version = info.version
        places[info.place] = place
    }

    /// Forgets instances that no longer answer.
    mutating func expire(at now: MonotonicTime, wallNanoseconds: Int64) {
        let limit = Int64(lifetimeMilliseconds) * 1_000_000
        instances = instances.filter { now.since($0.value.lastSeen) <= limit }
        let present = Set(instances.values.map(\.place))
        for (name, place) in places where place.state == .up && !present.contains(name) {
            places[name]?.state = .gone
            places[name]?.sinceNanoseconds = wallNanoseconds
            places[name]?.goneAt = now
        }
        let memory = Int64(Self.memoryMilliseconds) * 1_000_000
        places = places.filter { $0.value.goneAt.map { now.since($0) <= memory } ?? true }
    }

    /// In the order of their names.
    var vantages: [Vantage] {
        let byPlace = Dictionary(grouping: instances.values, by: \.place)
        return places.sorted { $0.key < $1.key }.map { name, place in
            let members = byPlace[name] ?? []
            return Vantage(
                place: name, labels: place.labels, instances: members.count, state: place.state,
                sinceNanoseconds: place.sinceNanoseconds,
                roundTripMilliseconds: members.map(\.roundTripMilliseconds).min(), version: place.version)
        }
    }
}

/// What an instance says about itself in its answer to `$SRV.INFO`.
struct VantageInfo: Sendable, Equatable {
    var instance: String
    var place: PlaceName
    var labels: [String: String]
    var version: String

    /// The longest answer that is read, in bytes.
    static let longestAnswer = 65_536

    /// - Parameter checkSubject: the subject for checks of any instance; an instance of another fleet has another one.
    /// - Returns: nil if it is not an answer of an instance of this fleet.
    init?(_ payload: [UInt8], checkSubject: String) {
        guard payload.count <= Self.longestAnswer,
            case .object(let object)? = try? JSONValue.parse(payload.span, limits: JSONLimits(values: 1024)),
            case .string(FleetSubjects.service)? = object["name"],
            case .string(let instance)? = object["id"], (1...64).contains(instance.utf8.count),
            case .string(let version)? = object["version"], version.utf8.count <= 64,
            case .object(let metadata)? = object["metadata"],
            case .string(let placeText)? = metadata["place"], let place = PlaceName(placeText),
            Self.has(checkSubject, in: object["endpoints"])
        else { return nil }
        self.instance = instance
        self.place = place
        self.version = version
        labels = [:]
        for member in metadata.members.prefix(65) where member.key != "place" {
            if case .string(let value) = member.value { labels[member.key] = value }
        }
    }

    private static func has(_ subject: String, in endpoints: JSONValue?) -> Bool {
        guard case .array(let values)? = endpoints else { return false }
        return values.contains { value in
            guard case .object(let endpoint) = value, case .string(subject)? = endpoint["subject"] else { return false }
            return true
        }
    }
}
