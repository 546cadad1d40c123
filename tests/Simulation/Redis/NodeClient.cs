using System.Text;
using KeyEvt.Simulation.Net;

namespace KeyEvt.Simulation.Redis;

/// <summary>One connection as a node sees it: what it is subscribed to, and what is to be sent to it.</summary>
internal sealed class NodeClient(VirtualConnection connection, string owner)
{
    private readonly StringBuilder _unsent = new();

    public RequestReader Requests { get; } = new();

    public VirtualConnection Connection => connection;

    /// <summary>The program that has opened it.</summary>
    public string Owner => owner;

    public bool IsRespThree { get; set; }

    public bool IsClosed { get; set; }

    public List<string> Patterns { get; } = [];

    public List<string> Channels { get; } = [];

    public bool IsSubscriber => Patterns.Count + Channels.Count > 0;

    public bool HasUnsent => _unsent.Length > 0;

    public void Say(string text) => _unsent.Append(text);

    /// <summary>A message of a subscription.</summary>
    public void Push(params ReadOnlySpan<string> parts)
    {
        _unsent.Append(IsRespThree ? '>' : '*').Append(parts.Length).Append("\r\n");
        foreach (var part in parts) _unsent.Append(RespText.Bulk(part));
    }

    public void Flush()
    {
        connection.Send(Encoding.Latin1.GetBytes(_unsent.ToString()));
        _unsent.Clear();
    }
}
