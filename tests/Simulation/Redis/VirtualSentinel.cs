using System.Globalization;
using System.Text;
using KeyEvt.Simulation.Net;

namespace KeyEvt.Simulation.Redis;

/// <summary>The Sentinels as one: it is always there, says who the master is, and announces a new one.</summary>
internal sealed class VirtualSentinel(string name, string masterName, IReadOnlyList<VirtualNode> nodes) : IVirtualServer
{
    private readonly List<VirtualConnection> _listeners = [];
    private int _epoch;

    public string Name => name;

    public bool IsUp => true;

    public VirtualNode Master { get; private set; } = nodes[0];

    public void Accept(VirtualConnection connection, string owner)
    {
        var requests = new RequestReader();
        connection.Received = bytes =>
        {
            foreach (var command in requests.Read(bytes)) Say(connection, Answer(connection, command));
        };
        connection.Left = () => _listeners.Remove(connection);
    }

    /// <summary>This node is the master from now on.</summary>
    public void Decide(VirtualNode master) => (Master, _epoch) = (master, _epoch + 1);

    /// <summary>Tells everybody who listens.</summary>
    public void Announce()
    {
        foreach (var listener in _listeners)
        {
            Say(listener, RespText.Array(RespText.Bulk("pmessage"), RespText.Bulk("+*"), RespText.Bulk("+switch-master"), RespText.Bulk(masterName)));
        }
    }

    private static void Say(VirtualConnection to, string text) => to.Send(Encoding.Latin1.GetBytes(text));

    private string Answer(VirtualConnection connection, string[] command)
    {
        switch (command[0], command.ElementAtOrDefault(1))
        {
            case ("PSUBSCRIBE", _):
                _listeners.Add(connection);
                return RespText.Array(RespText.Bulk("psubscribe"), RespText.Bulk(command[1]), RespText.Number(1));
            case ("PING", _):
                return _listeners.Contains(connection) ? RespText.Array(RespText.Bulk("pong"), RespText.Bulk("")) : "+PONG\r\n";
            case ("SENTINEL", "MASTER"):
                return Describe(Master, "master");
            case ("SENTINEL", "REPLICAS"):
                return RespText.Array([.. nodes.Where(node => node != Master).Select(node => Describe(node, "slave"))]);
            case ("SENTINEL", "SENTINELS"):
                return RespText.Array();
            default:
                throw new InvalidOperationException($"the Sentinel does not know {string.Join(' ', command)}");
        }
    }

    private string Describe(VirtualNode node, string role)
    {
        (string Name, string Value)[] fields =
        [
            ("name", node.Name), ("ip", node.Name), ("port", "6379"), ("runid", node.RunId), ("flags", node.IsUp ? role : role + ",s_down"), ("role-reported", role),
            ("master-link-status", "ok"), ("config-epoch", _epoch.ToString(CultureInfo.InvariantCulture)),
        ];
        return RespText.Array([.. fields.SelectMany(static field => new[] { RespText.Bulk(field.Name), RespText.Bulk(field.Value) })]);
    }
}
