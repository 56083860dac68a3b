@testable import ConnectAPI
import HTTPServer
import Testing

@Suite struct RouteTableTests {
    private static let answer = Route.Handler.answer { _ in ResponseFactory.text([], as: "text/plain") }

    private let table = RouteTable([
        Route(.get, "/v1/errors", Self.answer),
        Route(.get, "/v1/errors/{name}", Self.answer),
        Route(.get, "/v1/monitors/{name}/badge.svg", Self.answer),
        Route(.get, "/livez", listeners: .serviceAndHealth, Self.answer),
        Route(.get, "/", decodesPath: true, Self.answer),
        Route(.get, "/metrics", listeners: .serviceAndHealth, Self.answer),
    ])

    @Test(arguments: [
        (["v1", "errors", "ECONNREFUSED"], "/v1/errors/{name}", "ECONNREFUSED"),
        (["v1", "monitors", "a/b", "badge.svg"], "/v1/monitors/{name}/badge.svg", "a/b"),
        ([""], "/", ""),
    ])
    func `a decoded path finds its row and parameter`(path: [String], row: String, parameter: String) throws {
        let match = try #require(table.match(path))
        #expect(match.route.path.description == row && match.parameter == parameter)
    }

    @Test(arguments: [
        [], ["v1", "errors", ""], ["v1", "errors"], ["v1", "errors", "a", "b"], ["v2", "errors", "a"],
        ["v1", "monitors", "a", "badge.png"], ["livez"],
    ])
    func `other paths find nothing, and literal rows are not decoded`(path: [String]) {
        #expect(table.match(path)?.parameter == nil)
    }

    @Test func `Allow lists the methods`() {
        #expect(RouteMethods.get.allow == "GET, HEAD" && RouteMethods.post.allow == "POST")
        #expect(RouteMethods([.post, .put]).allow == "POST, PUT")
        #expect(RouteMethods.get.allows(.head) && !RouteMethods.get.allows(.post))
        #expect(!RouteMethods([.get, .post, .put]).allows(.options))
        #expect(!RouteMethods.get.allows(.other("get")))
    }

    @Test func `the paths of health listeners follow from the rows`() {
        #expect(table.healthPaths == "/livez and /metrics")
        #expect(RouteTable([]).healthPaths.isEmpty)
    }
}
