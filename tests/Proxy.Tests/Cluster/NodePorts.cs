using KeyEvt.Proxy.Cluster;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeyEvt.Proxy.Tests.Cluster;

/// <summary>A plan of three nodes at 10.0.0.x:6379, with node ports at 7001 and up.</summary>
internal static class NodePorts
{
    public static readonly string One = new('1', 40);
    public static readonly string Two = new('2', 40);
    public static readonly string Six = new('6', 40);

    public static PortMap Ports { get; } = new(
    [
        new(One, ["10.0.0.1", "one.redis"], 6379, 7001) { Slots = [new(0, 3998)] },
        new(Two, ["10.0.0.2"], 6379, 7002) { Slots = [new(3999, 8000)] },
        new(Six, ["fd00::6", "six.redis"], 6379, 7006) { Slots = [new(8001, 16383)] },
    ]);

    public static AddressTranslator Translator(Action<string>? hint = null, TimeProvider? time = null, string? announceHost = "proxy")
    {
        var nodePort = new AddressTranslator(announceHost, hint ?? (_ => { }), time ?? TimeProvider.System, NullLogger.Instance);
        nodePort.Change(Ports);
        return nodePort;
    }
}
