using System.Text;
using KeyEvt.Forwarder.Config;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Amqp;

/// <summary>Which brokers are asked for a quorum queue when nobody has chosen a type?</summary>
public sealed class QueueTypeTests
{
    [Theory]
    [InlineData("RabbitMQ", "3.7.28", false)]
    [InlineData("RabbitMQ", "3.8.0", true)]
    [InlineData("RabbitMQ", "3.10.8", true)]
    [InlineData("RabbitMQ", "4.3.6", true)]
    [InlineData("RabbitMQ", "4.1.0-rc.1", true)]
    [InlineData("RabbitMQ", "4.1.0+7.g1a2b3c", true)]
    [InlineData("RabbitMQ", "", false)]
    [InlineData("RabbitMQ", "next", false)]
    [InlineData("Another", "4.0.0", false)]
    public void Those_that_say_they_have_them(string product, string version, bool isQuorum)
    {
        var properties = new Dictionary<string, object?> { ["product"] = Encoding.UTF8.GetBytes(product), ["version"] = Encoding.UTF8.GetBytes(version) };
        Assert.Equal(isQuorum ? QueueType.Quorum : null, QueueTypes.DefaultFor(properties));
    }

    [Fact]
    public void One_that_says_nothing_is_not() => Assert.Null(QueueTypes.DefaultFor(null));
}
