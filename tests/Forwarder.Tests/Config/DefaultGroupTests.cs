using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Filter;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Config;

/// <summary>Which programs are of one group, if none of them was given a name of one?</summary>
public sealed class DefaultGroupTests
{
    private static readonly ForwarderConfig Usual = new();

    [Fact]
    public void The_name_is_the_same_in_every_build() => Assert.Equal("to-bbeaacde2764", DefaultGroup.Of(Usual));

    [Fact]
    public void Those_that_send_events_to_the_same_place_are_of_one_group()
    {
        Assert.Equal(DefaultGroup.Of(Usual), DefaultGroup.Of(Usual with { Masks = KeyMaskSet.All, DeliveryMode = 2 }));
        Assert.Equal(DefaultGroup.Of(With(amqp => amqp with { Host = "rabbit" })), DefaultGroup.Of(With(amqp => amqp with { Host = "Rabbit", User = "other", Password = "p" })));
    }

    [Fact]
    public void Those_that_serve_different_consumers_are_not()
    {
        ForwarderConfig[] all =
        [
            Usual, Usual with { Exchange = "e" }, Usual with { RoutingKey = "k" }, With(amqp => amqp with { Host = "h" }), With(amqp => amqp with { Port = 5673 }), With(amqp => amqp with { VirtualHost = "v" }),
        ];
        Assert.Equal(all.Length, all.Select(DefaultGroup.Of).Distinct().Count());
    }

    private static ForwarderConfig With(Func<AmqpSettings, AmqpSettings> change) => Usual with { Amqp = change(Usual.Amqp) };
}
