// What does a test of the port of a cluster's node start, and where are its node ports?
using System.Globalization;
using KeyEvt.Servers;

namespace KeyEvt.EndToEnd.Tests.Support;

/// <summary>A cluster, and one keyevt before all of it, without masks (so it never connects to a broker).</summary>
internal sealed class NodePortStage : IAsyncDisposable
{
    private const int NodePorts = 12;

    private NodePortStage(RedisClusterServers cluster, KeyEvtProcess program, int basePort) => (Cluster, Program, BasePort) = (cluster, program, basePort);

    public RedisClusterServers Cluster { get; }

    public KeyEvtProcess Program { get; }

    public int BasePort { get; }

    public static async Task<NodePortStage> StartAsync(int masters = 3, int replicasEach = 1, string[]? redis = null, params string[] options)
    {
        var cluster = await RedisClusterServers.StartAsync(masters, replicasEach, redis ?? []);
        try
        {
            var basePort = FreePorts.TakeRange(NodePorts);
            var program = await KeyEvtProcess.StartAsync(["--upstream", cluster.Url, "--listen-base", Text(basePort), "--amqp", "amqp://guest:guest@127.0.0.1:1/", "--state", "off", "--config-store", "off", .. options]);
            var stage = new NodePortStage(cluster, program, basePort);
            await Eventually.TrueAsync("a node port for each node", async () => (await stage.NodePortsAsync()).Count == cluster.Nodes.Count);
            return stage;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public bool IsNodePort(int port) => port >= BasePort && port < BasePort + NodePorts;

    /// <summary>Node ids and the ports that they have in CLUSTER NODES through the port of a cluster's node.</summary>
    public async Task<IReadOnlyDictionary<string, int>> NodePortsAsync()
        => ClusterLine.ParseAll((await Program.CallAsync("CLUSTER", "NODES")).Text).Where(line => IsNodePort(line.Port)).ToDictionary(line => line.Id, line => line.Port);

    public async Task<int> NodePortOfAsync(RedisServer node) => (await NodePortsAsync())[Cluster.IdOf(node)];

    public async ValueTask DisposeAsync()
    {
        await Program.DisposeAsync();
        await Cluster.DisposeAsync();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
