using System.Globalization;
using System.Text;
using CsCheck;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Filter;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Filter;

/// <summary>Do classes with masks, and rules, want the events that they say they want; and how large may they be?</summary>
public sealed class EventFilterTests
{
    private static readonly EventClass[] SomeClasses = [EventClass.Expired, EventClass.Evicted, EventClass.String, EventClass.Module];

    private static readonly Gen<EventClass> Classes = Gen.Int[0, (1 << SomeClasses.Length) - 1].Select(bits =>
        SomeClasses.Where((_, i) => (bits & (1 << i)) != 0).Aggregate(EventClass.None, (all, one) => all | one));

    private static readonly Gen<KeyMask> Mask = Gen.Frequency((1, Gen.Const(KeyMask.All)), (9, MaskGen.Mask.Select(mask => KeyMask.Parse(mask))));

    private static readonly Gen<EventRule> SomeRule = Gen.Select(
        Classes, Gen.Int[-1, 2], Mask, (classes, database, mask) => new EventRule(classes, database < 0 ? null : database, mask));

    [Fact]
    public void An_event_is_wanted_when_a_mask_or_a_rule_says_so() =>
        Gen.Select(Classes, Mask.Array[0, 4], SomeRule.Array[0, 8], MaskGen.Key.Array[1, 5]).Sample(
            (events, masks, rules, keys) =>
            {
                var filter = new EventFilter(events, KeyMaskSet.Empty.Add(masks), new RuleSet(rules));
                return keys.All(key => SomeClasses.All(one => Enumerable.Range(0, 4).All(database => filter.Wants(database, one, key) == IsWanted(one, database, key))));

                bool IsWanted(EventClass one, int database, byte[] key) =>
                    ((events & one) != 0 && masks.Any(mask => PikeMatcher.Matches(mask.Bytes.ToArray(), key)))
                    || rules.Any(rule => (rule.Events & one) != 0 && (rule.Database ?? database) == database && PikeMatcher.Matches(rule.Mask.Bytes.ToArray(), key));
            },
            iter: 3_000);

    [Fact]
    public void An_event_of_one_of_two_classes_is_wanted_by_whoever_wants_one_of_them()
    {
        Assert.True(Of(Rule("events=x mask=a")).Wants(0, EventClass.Expired | EventClass.Hash, "a"u8));
        Assert.True(Of(Rule("events=h db=0 mask=a")).Wants(0, EventClass.Expired | EventClass.Hash, "a"u8));
        Assert.False(Of(Rule("events=z mask=a")).Wants(0, EventClass.Expired | EventClass.Hash, "a"u8));
    }

    [Fact]
    public void A_mask_of_a_rule_may_hold_any_bytes()
    {
        Assert.True(EventRule.TryParse(Encoding.Latin1.GetString([.. "mask=^"u8, 0xFF, 0x00, 0x0A]), out var rule, out _));
        Assert.True(Of(rule).Wants(0, EventClass.String, [0xFF, 0x00, 0x0A, 1]));
    }

    [Fact]
    public void Rules_that_differ_in_their_database_only_are_read_one_at_a_time()
    {
        var rules = Enumerable.Range(0, 100).Select(i => Rule($"events=x db={i.ToString(CultureInfo.InvariantCulture)} mask=^a{i.ToString(CultureInfo.InvariantCulture)}:"));
        var filter = Of([.. rules]);
        Assert.True(filter.Wants(7, EventClass.Expired, "a7:k"u8));
        Assert.False(filter.Wants(7, EventClass.Expired, "a8:k"u8));
        Assert.False(filter.Wants(7, EventClass.Evicted, "a7:k"u8));
        Assert.False(filter.Wants(100, EventClass.Expired, "a7:k"u8));
    }

    [Fact]
    public void Classes_with_equal_masks_count_once_and_with_other_masks_once_more()
    {
        var one = Of(Rule("events=x mask=^session:")).Size;
        Assert.Equal(10, one);
        Assert.Equal(one, Of(Rule("events=A mask=^session:")).Size);
        Assert.Equal(one, Of(Rule("events=x mask=^session:"), Rule("events=e mask=^session:")).Size);
        Assert.Equal((2 * one) + 3, Of(Rule("events=xe mask=^session:"), Rule("events=e mask=^u")).Size);
    }

    [Fact]
    public void Masks_and_rules_beyond_the_limit_are_a_fault_and_those_within_it_are_none()
    {
        var masks = Enumerable.Range(0, EventFilter.MaxSize / 16).Select(i => KeyMask.Parse(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"^tenant:{i:D6}:"))));
        var config = new ForwarderConfig { Masks = KeyMaskSet.Empty.Add(masks) };
        Assert.Null(ConfigFaults.Of(config));
        var fault = ConfigFaults.Of(config with { Masks = config.Masks.Add([KeyMask.Parse("one more"u8)]) });
        Assert.Contains("too large", fault, StringComparison.Ordinal);
        Assert.Contains("262153", fault, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault!);
        Assert.NotNull(ConfigFaults.Of(config with { Rules = new RuleSet([Rule("db=1 mask=a")]) }));
    }

    [Fact]
    public void A_filter_knows_of_which_configuration_it_was_made()
    {
        var config = new ForwarderConfig { Masks = KeyMaskSet.All };
        var filter = new EventFilter(config.Events, config.Masks, config.Rules);
        Assert.True(IsOf(filter, config with { DeliveryMode = 2 }));
        Assert.False(IsOf(filter, config with { Events = EventClass.All }));
        Assert.False(IsOf(filter, config with { Masks = KeyMaskSet.Empty }));
        Assert.False(IsOf(filter, config with { Rules = new RuleSet([Rule("mask=a")]) }));
    }

    [Fact]
    public void Asking_allocates_nothing_once_a_key_of_the_kind_is_known()
    {
        var filter = Of([.. Enumerable.Range(0, 1000).Select(i => Rule(string.Create(CultureInfo.InvariantCulture, $"events=x db=0 mask=^tenant{i}:")))]);
        Assert.True(filter.Wants(0, EventClass.Expired, "tenant77:k"u8));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) filter.Wants(0, EventClass.Expired, "tenant77:k"u8);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static EventFilter Of(params EventRule[] rules) => new(EventClass.None, KeyMaskSet.Empty, new RuleSet(rules));

    private static EventRule Rule(string text) => EventRule.TryParse(text, out var rule, out var error) ? rule : throw new ArgumentException(error);

    private static bool IsOf(EventFilter filter, ForwarderConfig config) => filter.IsOf(config.Events, config.Masks, config.Rules);
}
