using System.Text;
using KeyEvt.Forwarder.Agreement;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Filter;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Agreement;

/// <summary>Is the configuration that a member reads the one that another has written?</summary>
public sealed class SharedConfigTextTests
{
    private static readonly SecretBox Box = new("a secret", "orders");
    private static readonly ForwarderConfig Own = new() { AmqpHosts = [AllowedBroker.Any], Amqp = new AmqpSettings { Host = "own", User = "me", Password = "mine" } };

    private static readonly ForwarderConfig Much = Own with
    {
        Exchange = "my exchange",
        RoutingKey = "redis.{db}.ü",
        Format = MessageFormat.CloudEvents,
        DeliveryMode = 2,
        FallbackStorageSize = -1,
        Masks = KeyMaskSet.Empty.Add([KeyMask.Parse("^with space$"u8), KeyMask.Parse([0, 0xff, (byte)'"', (byte)'\\', (byte)'=']), KeyMask.Parse("ü"u8)]),
        Rules = new RuleSet([Rule("events=xe db=3 mask=a b"), Rule("mask=ALL")]),
        Events = EventClass.All | EventClass.New | EventClass.Fields,
        DeclareQueue = "q",
        DeclareQueueType = QueueType.Stream,
        IsStopped = true,
    };

    [Fact]
    public void What_is_written_is_read_again()
    {
        var text = SharedConfigText.Write(new SharedConfig(1234567890123, "0123abcd", "a", Much), Box, Own);
        Assert.DoesNotContain(' ', text);
        Assert.All(text, letter => Assert.InRange(letter, '!', '~'));
        Assert.Equal(new SharedConfig(1234567890123, "0123abcd", "a", Much), SharedConfigText.Read(text, Box, Own));
        Assert.Null(SharedConfigText.Read(text[..^2], Box, Own));
    }

    [Fact]
    public void A_password_that_a_command_gave_is_encrypted_and_read_by_who_has_the_secret()
    {
        var changed = new SharedConfig(1, "", "a", Own with { Amqp = Own.Amqp with { User = "other", Password = "hidden" } });
        var text = SharedConfigText.Write(changed, Box, Own);
        Assert.DoesNotContain("hidden", text, StringComparison.Ordinal);
        Assert.Equal("hidden", SharedConfigText.Read(text, new SecretBox("a secret", "orders"), Own)!.Config.Amqp.Password.Value);
        Assert.Null(SharedConfigText.Read(text, new SecretBox("another", "orders"), Own));
        Assert.Null(SharedConfigText.Read(text, new SecretBox("a secret", "invoices"), Own));
        Assert.NotEqual(text, SharedConfigText.Write(changed, Box, Own)); // never twice with the same nonce
    }

    [Fact]
    public void Each_member_has_its_own_password_for_the_login_of_its_options()
    {
        var text = SharedConfigText.Write(new SharedConfig(1, "", "a", Own), Box, Own);
        Assert.DoesNotContain("password", text, StringComparison.Ordinal);
        Assert.Equal("rotated", SharedConfigText.Read(text, Box, Own with { Amqp = Own.Amqp with { Password = "rotated" } })!.Config.Amqp.Password.Value);
        Assert.Equal("", SharedConfigText.Read(text, Box, Own with { Amqp = Own.Amqp with { User = "somebody else" } })!.Config.Amqp.Password.Value);
    }

    [Fact]
    public void Without_a_secret_nobody_can_say_where_to_send_events()
    {
        var text = SharedConfigText.Write(new SharedConfig(1, "", "a", Own with { Amqp = Own.Amqp with { Host = "elsewhere" } }), null, Own);
        Assert.DoesNotContain("elsewhere", text, StringComparison.Ordinal);
        var forged = SharedConfigText.Write(new SharedConfig(1, "", "a", Own with { Amqp = Own.Amqp with { Host = "elsewhere" } }), Box, Own);
        Assert.Equal(Own.Amqp, SharedConfigText.Read(forged, null, Own)!.Config.Amqp);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("nothing")]
    [InlineData("\"delivery_mode\":1", "\"delivery_mode\":\"1\"")]
    [InlineData("\"delivery_mode\":1", "\"delivery_mode\":99999999999")]
    [InlineData("\"format\":\"Text\"", "\"format\":\"xml\"")]
    [InlineData("\"format\":\"Text\"", "\"format\":\"7\"")]
    [InlineData("\"masks\":[]", "\"masks\":[null]")]
    [InlineData("\"masks\":[]", "\"masks\":{}")]
    [InlineData("\"rules\":[]", "\"rules\":[\"mask=\"]")]
    [InlineData("\"exchange\":\"amq.direct\",", "")]
    [InlineData("\"exchange\":\"amq.direct\"", "\"exchange\":null")]
    [InlineData("\"by\":\"a\"", "\"by\":null")]
    public void What_is_no_configuration_is_not_read(string part, string? instead = null)
    {
        var text = SharedConfigText.Write(new SharedConfig(1, "", "a", new ForwarderConfig()), null, Own);
        Assert.NotNull(SharedConfigText.Read(text, null, Own));
        var wrong = instead is null ? part : text.Replace(part, instead, StringComparison.Ordinal);
        Assert.NotEqual(text, wrong);
        Assert.Null(SharedConfigText.Read(wrong, null, Own));
    }

    [Fact]
    public void A_field_of_a_later_program_is_left_out()
    {
        var text = SharedConfigText.Write(new SharedConfig(1, "", "a", Own), null, Own);
        Assert.Equal(SharedConfigText.Read(text, null, Own), SharedConfigText.Read(text.Insert(1, "\"later\":{\"a\":[1]},"), null, Own));
    }

    [Fact]
    public void The_fingerprint_of_options_differs_for_each_option_but_not_for_the_password()
    {
        ForwarderConfig[] all =
        [
            Own, Own with { Exchange = "e" }, Own with { RoutingKey = "r" }, Own with { Format = MessageFormat.Json }, Own with { DeliveryMode = 2 }, Own with { FallbackStorageSize = 1 },
            Own with { Masks = KeyMaskSet.All }, Own with { Rules = new RuleSet([Rule("mask=ALL")]) }, Own with { Events = EventClass.All }, Own with { DeclareQueue = "q" },
            Own with { DeclareQueueType = QueueType.Quorum }, Own with { Amqp = Own.Amqp with { Host = "h" } }, Own with { Amqp = Own.Amqp with { Tls = true } },
        ];
        Assert.Equal(all.Length, all.Select(OptionsFingerprint.Of).Distinct().Count());
        Assert.Equal(OptionsFingerprint.Of(Own), OptionsFingerprint.Of(Own with { Amqp = Own.Amqp with { Password = "new" } }));
        Assert.Matches("^[0-9a-f]{16}$", OptionsFingerprint.Of(Own));
    }

    [Theory]
    [InlineData("")]
    [InlineData("no base64!")]
    [InlineData("AAAA")]
    public void What_was_never_closed_is_not_opened(string text) => Assert.Null(Box.TryOpen(text));

    [Fact]
    public void A_changed_letter_is_noticed()
    {
        var box = Convert.FromBase64String(Box.Close("password ü"));
        Assert.Equal("password ü", Box.TryOpen(Convert.ToBase64String(box))!.Value);
        for (var i = 0; i < box.Length; i++)
        {
            box[i] ^= 1;
            Assert.Null(Box.TryOpen(Convert.ToBase64String(box)));
            box[i] ^= 1;
        }
    }

    private static EventRule Rule(string text) => EventRule.TryParse(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text)), out var rule, out var error) ? rule : throw new FormatException(error);
}
