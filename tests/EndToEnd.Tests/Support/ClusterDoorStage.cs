// What does a test of the cluster's door start, and where are its doors?
using System.Globalization;
using KeyEvt.Servers;

namespace KeyEvt.EndToEnd.Tests.Support;

/// <summary>A cluster, and one keyevt before all of it, without masks (so it never connects to a broker).</summary>
internal sealed class ClusterDoorStage : IAsyncDisposable
{
    private const int Doors = 12;

    private ClusterDoorStage(RedisClusterServers cluster, KeyEvtProcess program, int basePort) => (Cluster, Program, BasePort) = (cluster, program, basePort);

    public RedisClusterServers Cluster { get; }

    public KeyEvtProcess Program { get; }

    public int BasePort { get; }

    public static async Task<ClusterDoorStage> StartAsync(int masters = 3, int replicasEach = 1, string[]? redis = null, params string[] options)
    {
        var cluster = await RedisClusterServers.StartAsync(masters, replicasEach, redis ?? []);
        try
        {
            var basePort = FreePorts.TakeRange(Doors);
            var program = await KeyEvtProcess.StartAsync(["--upstream", cluster.Url, "--listen-base", Text(basePort), "--amqp", "amqp://guest:guest@127.0.0.1:1/", .. options]);
            var stage = new ClusterDoorStage(cluster, program, basePort);
            await Eventually.TrueAsync("a door for each node", async () => (await stage.DoorsAsync()).Count == cluster.Nodes.Count);
            return stage;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public bool IsDoor(int port) => port >= BasePort && port < BasePort + Doors;

    /// <summary>Node ids and the ports that they have in CLUSTER NODES through the door.</summary>
    public async Task<IReadOnlyDictionary<string, int>> DoorsAsync()
        => ClusterLine.ParseAll((await Program.CallAsync("CLUSTER", "NODES")).Text).Where(line => IsDoor(line.Port)).ToDictionary(line => line.Id, line => line.Port);

    public async Task<int> DoorOfAsync(RedisServer node) => (await DoorsAsync())[Cluster.IdOf(node)];

    public async ValueTask DisposeAsync()
    {
        await Program.DisposeAsync();
        await Cluster.DisposeAsync();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
