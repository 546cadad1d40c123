// What do the tests of a group's configuration share?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using KeyEvt.Servers.Group;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Group;

internal static class ConfigTest
{
    /// <summary>Runs the act on a group that is in step, with nobody writing. A failure shows what each member said last.</summary>
    public static async Task RunAsync(SharedBroker broker, GroupSetting setting, Func<GroupStage, GroupMember, Task> act)
    {
        await using var stage = await GroupStage.SetAsync(await broker.GetAsync(), setting);
        try
        {
            await act(stage, await stage.InStepAsync());
        }
        catch
        {
            foreach (var member in stage.Members)
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"{member}:\n{member.Program.Process.Tail(40)}");
            }

            throw;
        }
    }

    public static async Task<IReadOnlyList<string>> MasksAsync(GroupMember member) => (await member.Program.CallAsync("key_evt_amqp.keymask_get")).Texts;

    /// <summary>Waits until each member that answers has exactly these masks.</summary>
    public static async Task AllHaveAsync(GroupStage stage, params string[] masks)
    {
        foreach (var member in stage.Members.Where(member => member.IsAnswering))
        {
            await Eventually.ValueAsync($"the masks [{string.Join(' ', masks)}] at {member}", () => MasksAsync(member), seen => seen.SequenceEqual(masks));
        }
    }

    public static async Task<IReadOnlyList<IReadOnlyDictionary<string, string>>> InfosAsync(GroupStage stage) => await Task.WhenAll(stage.Members.Select(member => member.Program.AdminInfoAsync()));

    /// <summary>The number in a key such as t:12.</summary>
    public static int NumberOf(string key) => int.Parse(key.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
}
