using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Config;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Amqp;

/// <summary>With which key is a declared queue bound, and where is none good enough?</summary>
public sealed class QueueBindingTests
{
    [Theory]
    [InlineData("plain.key", "plain.key")]
    [InlineData("redis.{db}.{event}", "redis.*.#")]
    [InlineData("redis.{class}.{db}", "redis.*.*")]
    [InlineData("redis.{key}", "redis.#")]
    [InlineData("{key}.x", "#.x")]
    [InlineData("db{db}.{class}-of-{event}.end", "*.#.end")]
    [InlineData("{event}{db}", "#")]
    [InlineData("{db}", "*")]
    [InlineData("a.b-{db}-c.d", "a.*.d")]
    public void A_word_with_a_part_becomes_a_wildcard(string routingKey, string binding) => Assert.Equal(binding, QueueBinding.KeyFor(routingKey));

    [Theory]
    [InlineData("amq.direct", "direct")]
    [InlineData("", "direct")]
    [InlineData("amq.headers", "headers")]
    [InlineData("amq.match", "headers")]
    public void Where_only_the_exact_key_counts_a_template_is_refused_with_the_remedy(string exchange, string type)
    {
        var fault = QueueBinding.Fault(new ForwarderConfig { Exchange = exchange, RoutingKey = "r.{db}", DeclareQueue = "q" });
        Assert.Contains(type, fault, StringComparison.Ordinal);
        Assert.Contains("amq.topic", fault, StringComparison.Ordinal);
        Assert.Null(QueueBinding.Fault(new ForwarderConfig { Exchange = exchange, RoutingKey = "r", DeclareQueue = "q" }));
        Assert.Null(QueueBinding.Fault(new ForwarderConfig { Exchange = exchange, RoutingKey = "r.{db}" }));
    }

    [Theory]
    [InlineData("amq.topic")]
    [InlineData("amq.fanout")]
    [InlineData("somebodys.own")]
    public void Elsewhere_it_is_not_refused_before_the_broker_is_asked(string exchange)
        => Assert.Null(QueueBinding.Fault(new ForwarderConfig { Exchange = exchange, RoutingKey = "r.{db}", DeclareQueue = "q" }));
}
