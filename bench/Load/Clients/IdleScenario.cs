// What does a client cost that is only connected, and how are some served among thousands that are idle?
using System.Diagnostics;
using System.Globalization;
using KeyEvt.Bench.Load.Scenario;
using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Clients;

/// <summary>
/// 10,000 clients (or as many as the limit of open files allows), each of which has had one answer; the proxy's resident memory by client, right away and
/// after 15 seconds of silence; then 1,000 of them ask in turns. By plain TCP and by TLS. Memory of the kernel's sockets is not in it.
/// </summary>
internal sealed class IdleScenario : IScenario
{
    private const int Wanted = 10_000;
    private const int Active = 1_000;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    public string Name => "idle";

    public string Meaning => "10,000 idle clients: resident bytes by client; then 1,000 of them active";

    public async Task<string> RunAsync(LoadSettings settings)
    {
        using var authority = new TestAuthority();
        using var folder = new PrivateFolder("idle");
        var certificate = authority.Issue("localhost");
        string[] tls = ["--tls-cert", folder.Write("cert.pem", certificate.CertificatePem), "--tls-key", folder.Write("key.pem", certificate.KeyPem)];
        var rows = new List<string[]>
        {
            await MeasureAsync("plain", [], (program, _) => program.ConnectAsync()),
            await MeasureAsync("TLS", tls, (_, port) => SecureRespClient.ConnectAsync(port, authority.Certificate)),
        };
        return Figures.Table(["clients by", "clients", "KB a client", "after 15 s", "PING/s of 1,000", "p50 ms", "p99 ms"], rows);
    }

    private static async Task<string[]> MeasureAsync(string name, string[] options, Func<KeyEvtProcess, int, Task<RespClient>> connect)
    {
        await using var redis = await RedisServer.StartAsync("maxclients 20000");
        var port = FreePorts.Take();
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--max-clients", "20000", .. options.Length > 0 ? new[] { "--listen", $"rediss://127.0.0.1:{port}" } : [], .. options]);
        var count = Math.Min(Wanted, int.Parse((await program.InfoAsync())["server.maxclients"], CultureInfo.InvariantCulture) - 10);
        var clients = new List<RespClient>();
        try
        {
            await AddAsync(clients, 200, program, port, connect); // warm: code and pools are not a client's
            var before = program.Process.ResidentBytes;
            await AddAsync(clients, count - clients.Count, program, port, connect);
            var after = program.Process.ResidentBytes;
            await Task.Delay(Silence);
            var later = program.Process.ResidentBytes;
            var (rate, p50, p99) = await AskAsync(clients[..Active]);
            return [name, Text(clients.Count, "0"), Text((after - before) / 1024.0 / (count - 200), "0.0"), Text((later - before) / 1024.0 / (count - 200), "0.0"), Text(rate, "0"), Text(p50, "0.00"), Text(p99, "0.00")];
        }
        finally
        {
            foreach (var client in clients) await client.DisposeAsync();
        }
    }

    private static async Task AddAsync(List<RespClient> clients, int count, KeyEvtProcess program, int port, Func<KeyEvtProcess, int, Task<RespClient>> connect)
    {
        for (var made = 0; made < count; made += 100)
        {
            var batch = await Task.WhenAll(Enumerable.Range(0, Math.Min(100, count - made)).Select(_ => connect(program, port)));
            clients.AddRange(batch);
            await Task.WhenAll(batch.Select(client => client.CallAsync("PING")));
        }
    }

    /// <summary>Each asks 50 times, one after the other; the load program shares the machine with the proxy.</summary>
    private static async Task<(double Rate, double P50, double P99)> AskAsync(IReadOnlyList<RespClient> clients)
    {
        var clock = Stopwatch.StartNew();
        var times = await Task.WhenAll(clients.Select(async client =>
        {
            var mine = new double[50];
            for (var i = 0; i < mine.Length; i++)
            {
                var began = Stopwatch.GetTimestamp();
                await client.CallAsync("PING");
                mine[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            }
            return mine;
        }));
        var all = times.SelectMany(mine => mine).Order().ToArray();
        return (all.Length / clock.Elapsed.TotalSeconds, all[all.Length / 2], all[all.Length * 99 / 100]);
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
