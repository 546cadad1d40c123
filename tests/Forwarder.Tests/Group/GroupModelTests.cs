using System.Globalization;
using KeyEvt.Forwarder.Group;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Group;

/// <summary>Do the rules hold in random histories, and does the program follow them step for step?</summary>
public sealed class GroupModelTests
{
    /// <summary>How many histories are tried; more with the environment variable GROUP_HISTORIES.</summary>
    private static readonly int Histories = int.TryParse(Environment.GetEnvironmentVariable("GROUP_HISTORIES"), NumberStyles.None, CultureInfo.InvariantCulture, out var asked) ? asked : 250;

    [Fact]
    public void The_state_of_a_group_is_that_of_the_model_after_each_message_and_nothing_is_lost()
    {
        var (claims, states) = (0, 0);
        Parallel.For(0, Histories, seed =>
        {
            var world = new ModelWorld(seed) { Reading = (member, at, message, read) => Compare(seed, member, at, message, read) };
            world.Run(1500);
            world.Calm();
            Assert.True(world.Lost().Count == 0, $"seed {seed}: lost {string.Join(' ', world.Lost().Take(5))}");
            Assert.True(world.Inversions() == 0, $"seed {seed}: {world.Inversions()} first deliveries out of order");
            Interlocked.Add(ref claims, world.Stream.Count(message => message.Kind is ModelKind.Claim or ModelKind.FreshClaim));
            Interlocked.Add(ref states, world.Stream.Count(message => message.Kind == ModelKind.State));
        });
        Assert.True(claims > Histories && states > Histories, $"{claims} claims and {states} answers in {Histories} histories show little");
    }

    private static void Compare(int seed, ModelMember member, int at, ModelMessage message, Func<bool> readModel)
    {
        member.Beside ??= new GroupState();
        var state = (GroupState)member.Beside;
        var inForce = state.Read(ModelTranslation.Of(at, message));
        var hasWon = readModel();
        var model = member.Fold;
        var isEqual = hasWon == (inForce is { } claim && claim.Member == member.Name && state.Holder == member.Name) && model.IsKnown == state.IsKnown
            && model.Who.All(who => state.IsPending(new MessageId(who.Member, who.At)))
            && (!model.IsKnown || (state.Marker == at && ModelTranslation.AreEqual(model, state, inFull: message.Kind != ModelKind.Mark || at % 8 == 0)));
        if (!isEqual)
        {
            Assert.Fail($"seed {seed}, {member.Name} at {at}, {message}: known {model.IsKnown} and {state.IsKnown}, won {hasWon} and {inForce}, {model.State} and {state.Marker} {state.Snapshot()}");
        }
    }
}
