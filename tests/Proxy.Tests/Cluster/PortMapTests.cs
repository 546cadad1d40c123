using KeyEvt.Proxy.Cluster;
using Xunit;

namespace KeyEvt.Proxy.Tests.Cluster;

/// <summary>Which node is meant by a redirection that names no host?</summary>
public sealed class PortMapTests
{
    private static readonly PortMap OneHost = new(
    [
        new(NodePorts.One, ["10.0.0.1"], 7001, 1) { Slots = [new(0, 100)] },
        new(NodePorts.Two, ["10.0.0.1"], 7002, 2) { Slots = [new(101, 200)] },
        new(NodePorts.Six, ["10.0.0.2"], 7002, 6) { Slots = [new(201, 300)] },
    ]);

    [Theory]
    [InlineData(7002, 250, 2)] // the node on the same host, even where the slot is not known to have moved there yet
    [InlineData(7003, 250, null)]
    public void It_is_the_one_on_the_same_host(int port, int slot, int? nodePort) => Assert.Equal(nodePort, OneHost.PortWithoutHost(port, slot, "10.0.0.1", 7001));

    [Theory]
    [InlineData(0, 7001)]
    [InlineData(5000, 7002)]
    [InlineData(9000, 7006)]
    public void Else_it_is_the_one_that_serves_the_slot(int slot, int nodePort) => Assert.Equal(nodePort, NodePorts.Ports.PortWithoutHost(6379, slot, "10.0.0.9", 6379));

    [Fact]
    public void A_node_never_means_itself()
    {
        Assert.Equal(7002, NodePorts.Ports.PortWithoutHost(6379, 5000, "10.0.0.1", 6379));
        Assert.Null(OneHost.PortWithoutHost(7001, 0, "10.0.0.1", 7001));
    }

    [Fact]
    public void Else_it_is_the_only_one_at_that_port() => Assert.Equal(1, OneHost.PortWithoutHost(7001, 16000, "10.0.0.2", 7002));
}
