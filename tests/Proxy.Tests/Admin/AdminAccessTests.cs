using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Files;
using KeyEvt.Proxy.Admin;
using KeyEvt.Proxy.Metrics;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KeyEvt.Proxy.Tests.Admin;

/// <summary>Who gets to the admin pages, and by which name?</summary>
[UnsupportedOSPlatform("windows")]
public sealed class AdminAccessTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("keyevt-admin-");
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private MetricsCollector _metrics = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string TokenFile => Path.Combine(_folder.FullName, "token");

    public ValueTask InitializeAsync()
    {
        _metrics = new MetricsCollector(_services.GetRequiredService<IMeterFactory>());
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        _http.Dispose();
        await _services.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    public async Task However_many_are_idle_a_new_one_is_answered_and_the_eldest_goes(string address)
    {
        await using var server = await StartAsync(TransportAddress.Tcp(address, 0));
        var idle = new List<Socket>();
        for (var i = 0; i < 80; i++) idle.Add(await ConnectAsync(server));
        Assert.Equal("alive", await HealthAsync(server));
        Assert.True(await EndsAsync(idle[0]));
        await idle[^1].SendAsync("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), Cancel);
        Assert.StartsWith("HTTP/1.1 200 OK", await ReceiveAsync(idle[^1]), StringComparison.Ordinal); // the newest ones have stayed
        idle.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task One_that_is_being_answered_stays_while_idle_ones_go()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var mayEnd = new ManualResetEventSlim();
        await using var server = await StartAsync(TransportAddress.Tcp("127.0.0.1", 0), info: () =>
        {
            begun.TrySetResult();
            Assert.True(mayEnd.Wait(TimeSpan.FromSeconds(30), Cancel)); // the pages are written in one go, so a slow one keeps its thread
            return [];
        });
        var slow = _http.GetStringAsync(new Uri($"{server.Addresses[0]}/info"), Cancel);
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        var idle = new List<Socket>();
        for (var i = 0; i < AdminConnectionTable.PlacesOfEach; i++) idle.Add(await ConnectAsync(server));
        Assert.True(await EndsAsync(idle[0]));
        mayEnd.Set();
        Assert.Equal("", await slow);
        idle.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task All_but_health_and_readiness_ask_for_the_token()
    {
        await File.WriteAllTextAsync(TokenFile, "the-token\n", Cancel);
        await using var server = await StartAsync(TransportAddress.Tcp("127.0.0.1", 0), new AdminToken(Secret.FromFile(TokenFile)));
        Assert.Equal("alive", await HealthAsync(server));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(server, "/readyz"));
        foreach (var path in (string[])["/metrics", "/info", "/", "/nosuch"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(server, path));
            Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(server, path, "the-tokem"));
            Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(server, path, "the-token2"));
            Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(server, path, "the-token", "Basic"));
            Assert.Equal(path == "/nosuch" ? HttpStatusCode.NotFound : HttpStatusCode.OK, await GetAsync(server, path, "the-token"));
        }
    }

    [Fact]
    public void A_new_token_is_in_force_once_its_file_is_read_again_and_a_bad_file_changes_nothing()
    {
        File.WriteAllText(TokenFile, "first");
        var secret = Secret.FromFile(TokenFile);
        var token = new AdminToken(secret);
        Assert.True(token.IsIn("Bearer first"));
        File.WriteAllText(TokenFile, "second\n");
        Assert.True(token.IsIn("Bearer first"));
        Assert.True(secret.Reload());
        Assert.False(token.IsIn("Bearer first"));
        Assert.True(token.IsIn("bearer second"));
        File.WriteAllText(TokenFile, "");
        Assert.Throws<IOException>(() => secret.Reload());
        Assert.True(token.IsIn("Bearer second"));
        Assert.False(token.IsIn(""));
        Assert.False(token.IsIn("second"));
    }

    [Theory]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("LOCALHOST:80", HttpStatusCode.OK)]
    [InlineData("127.0.0.1", HttpStatusCode.OK)]
    [InlineData("[::1]:6381", HttpStatusCode.OK)]
    [InlineData("127.0.0.2:6381", HttpStatusCode.OK)]
    [InlineData("attacker.example", HttpStatusCode.Forbidden)]
    [InlineData("attacker.example:6381", HttpStatusCode.Forbidden)]
    [InlineData("127.0.0.1.attacker.example", HttpStatusCode.Forbidden)]
    public async Task On_loopback_only_names_of_this_machine_are_answered(string host, HttpStatusCode expected)
    {
        await using var server = await StartAsync(TransportAddress.Tcp("127.0.0.2", 0));
        foreach (var path in (string[])["/healthz", "/info", "/metrics"])
        {
            Assert.Equal(expected, await GetAsync(server, path, host: host));
        }
    }

    [Fact]
    public async Task Where_others_connect_and_on_a_unix_socket_any_name_is_answered()
    {
        await using var everywhere = await StartAsync(TransportAddress.Tcp("0.0.0.0", 0));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(everywhere, "/info", host: "keyevt.example"));
        var path = Path.Combine(_folder.FullName, "admin.sock");
        await using var local = await StartAsync(TransportAddress.Unix(path));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), Cancel);
        await socket.SendAsync("GET /info HTTP/1.1\r\nHost: anything.example\r\n\r\n"u8.ToArray(), Cancel);
        Assert.StartsWith("HTTP/1.1 200 OK", await ReceiveAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_host_as_HTTP_1_0_allows_it_is_answered()
    {
        await using var server = await StartAsync(TransportAddress.Tcp("127.0.0.1", 0));
        using var socket = await ConnectAsync(server);
        await socket.SendAsync("GET /healthz HTTP/1.0\r\n\r\n"u8.ToArray(), Cancel);
        Assert.StartsWith("HTTP/1.1 200 OK", await ReceiveAsync(socket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_unix_socket_has_the_wanted_rights_and_is_gone_afterwards()
    {
        var path = Path.Combine(_folder.FullName, "admin.sock");
        await using (await StartAsync(TransportAddress.Unix(path), sockets: new SocketSettings { UnixSocketMode = (UnixFileMode)Convert.ToInt32("660", 8) }))
        {
            Assert.Equal((UnixFileMode)Convert.ToInt32("660", 8), File.GetUnixFileMode(path));
            using var output = new StringWriter();
            Assert.Equal(0, await HealthProbe.RunAsync(new AdminOptions { Address = TransportAddress.Unix(path) }, TimeProvider.System, output, output));
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task Nothing_at_the_path_of_a_unix_socket_is_removed_but_a_socket_that_nobody_has()
    {
        var path = Path.Combine(_folder.FullName, "admin.sock");
        await File.WriteAllTextAsync(path, "precious", Cancel);
        var e = await Assert.ThrowsAsync<SocketPathException>(() => StartAsync(TransportAddress.Unix(path)));
        Assert.Equal($"cannot listen on unix:{path}: a file stands there, which is not removed: name another path, or remove it", e.Message);
        Assert.Equal("precious", await File.ReadAllTextAsync(path, Cancel));
    }

    [Fact]
    public async Task By_the_name_localhost_it_listens_on_loopback_alone()
    {
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        await using var server = await StartAsync(TransportAddress.Tcp("localhost", port));
        Assert.Equal(HttpStatusCode.OK, await GetAsync($"http://127.0.0.1:{port}", "/info"));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync($"http://127.0.0.1:{port}", "/info", host: "attacker.example"));
        Assert.All(server.Addresses, address => Assert.True(address is "http://127.0.0.1" or "http://[::1]" || address.StartsWith("http://localhost:", StringComparison.Ordinal) || address.StartsWith("http://127.0.0.1:", StringComparison.Ordinal) || address.StartsWith("http://[::1]:", StringComparison.Ordinal), address));
    }

    [Fact]
    public async Task By_another_name_it_listens_on_the_addresses_of_that_name_and_not_everywhere()
    {
        var name = Dns.GetHostName();
        var addresses = (await Dns.GetHostAddressesAsync(name, Cancel)).Select(address => new IPAddress(address.GetAddressBytes())).ToList();
        await using var server = await StartAsync(TransportAddress.Tcp(name, 0));
        Assert.All(server.Addresses, address => Assert.Contains(new IPAddress(IPAddress.Parse(new Uri(address).Host.Trim('[', ']')).GetAddressBytes()), addresses)); // without what stands behind % of IPv6
    }

    private Task<AdminServer> StartAsync(TransportAddress address, AdminToken? token = null, SocketSettings? sockets = null, Func<IReadOnlyList<InfoSection>>? info = null)
    {
        var pages = new AdminPages(new NothingMissing(), info ?? (() => []), _metrics, token);
        return AdminServer.StartAsync(address, sockets ?? new SocketSettings(), pages, NullLoggerFactory.Instance, TimeProvider.System, Cancel);
    }

    private static int PortOf(AdminServer server) => new Uri(server.Addresses[0]).Port;

    private static async Task<Socket> ConnectAsync(AdminServer server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, PortOf(server), Cancel);
        return socket;
    }

    private static async Task<string> HealthAsync(AdminServer server)
    {
        using var output = new StringWriter();
        await HealthProbe.RunAsync(new AdminOptions { Address = TransportAddress.Tcp("127.0.0.1", PortOf(server)) }, TimeProvider.System, output, output);
        return output.ToString().TrimEnd();
    }

    private Task<HttpStatusCode> GetAsync(AdminServer server, string path, string? token = null, string scheme = "Bearer", string? host = null) =>
        GetAsync(server.Addresses[0].Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal), path, token, scheme, host);

    private async Task<HttpStatusCode> GetAsync(string server, string path, string? token = null, string scheme = "Bearer", string? host = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server + path));
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue(scheme, token);
        if (host is not null) request.Headers.Host = host;
        using var answer = await _http.SendAsync(request, Cancel);
        return answer.StatusCode;
    }

    private static async Task<string> ReceiveAsync(Socket socket)
    {
        var bytes = new byte[4096];
        return Encoding.ASCII.GetString(bytes, 0, await socket.ReceiveAsync(bytes, Cancel));
    }

    private static async Task<bool> EndsAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1], Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancel) == 0;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return true;
        }
    }

    private sealed class NothingMissing : IReadiness
    {
        public IReadOnlyList<string> Missing() => [];

        public IReadOnlyList<string> Notes() => [];
    }
}
