// Does a person who types what the documents show see what they show?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers.Docs;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Docs;

/// <summary>
/// Types all lines <c>$ ...</c> of the console blocks of README.md and docs, from the top of a page to its end, on servers of its own. A comment
/// <c>stage: keyevt OPTIONS</c> before a block begins anew with a keyevt of those options. (Blocks in sh are looked at by DocumentedLinesTests, without servers.)
/// </summary>
public sealed class DocumentedCommandsTests(OwnBroker broker) : IClassFixture<OwnBroker>
{
    public static TheoryData<string> Pages => [.. Repository.Documents.Where(page => ToPlay(page).Any())];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task What_a_page_shows_is_what_is_printed(string page)
    {
        PageStage? stage = null;
        try
        {
            foreach (var block in ToPlay(page))
            {
                if (block.Stage is not null && stage is not null)
                {
                    await stage.DisposeAsync();
                    stage = null;
                }
                stage ??= await PageStage.SetAsync(await broker.GetAsync(), block.Stage ?? PageStage.UsualOptions);
                foreach (var step in ConsoleStep.Of(block)) await stage.PlayAsync(step);
            }
        }
        finally
        {
            if (stage is not null) await stage.DisposeAsync();
        }
    }

    private static IEnumerable<MarkdownBlock> ToPlay(string page) => MarkdownBlock.Of(page).Where(block => block.Language == "console" && block.NotRun is null);
}
